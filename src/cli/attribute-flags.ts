import { string } from '@oclif/core/flags';

/** The attributes of an account that policies see; read them with `attributesOf`. */
export const attributeFlags = {
  role: string({
    description: 'Role; may be given several times.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
  }),
  clearance: string({ description: 'Clearance.', helpValue: 'NAME' }),
  region: string({ description: 'Region.', helpValue: 'NAME' }),
  purpose: string({
    description: 'Purpose data may be used for; may be given several times.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
  }),
};

export interface AttributeFlagValues {
  role?: string[] | undefined;
  clearance?: string | undefined;
  region?: string | undefined;
  purpose?: string[] | undefined;
}

export interface Attributes {
  roles?: string[];
  clearance?: string | null;
  region?: string | null;
  purposes?: string[];
}

/** The attributes that were given; an empty value takes an attribute away. */
export function attributesOf({
  role,
  clearance,
  region,
  purpose,
}: AttributeFlagValues): Attributes {
  return {
    ...(role === undefined ? {} : { roles: role.filter((name) => name !== '') }),
    ...(clearance === undefined ? {} : { clearance: clearance === '' ? null : clearance }),
    ...(region === undefined ? {} : { region: region === '' ? null : region }),
    ...(purpose === undefined ? {} : { purposes: purpose.filter((name) => name !== '') }),
  };
}
