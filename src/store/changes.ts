import { ANY_CHANGE, type Change } from './store-driver.js';

/** Counts what has changed, so that whoever made something of what was there knows when to look again. */
export interface Changes {
  revision(): number;
  accounts(): number;
  note(change?: Change): void;
}

export function countChanges(): Changes {
  let revision = 0;
  let accounts = 0;
  return {
    revision: () => revision,
    accounts: () => accounts,
    note({ accounts: ofAccounts } = ANY_CHANGE) {
      revision += 1;
      if (ofAccounts) accounts += 1;
    },
  };
}
