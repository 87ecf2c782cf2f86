import { ACTIONS, type Action } from './model.js';

/** How strict an action is, from 0 for the strictest. */
export const RANKS = Object.fromEntries(ACTIONS.map((action, rank) => [action, rank])) as Readonly<
  Record<Action, number>
>;
