import type { LocalEngineName } from '../../../src/engines/index.js';
import type { FieldKind } from '../../../src/schema/field-type.js';
import { type Decimal, decimalOf, decimalText } from '../reference/decimal.js';
import type { EngineLimits } from '../reference/schema.js';
import { kindOf, momentOf } from '../reference/value.js';

/** What the comparison must know of an engine to make tables in it, and what the documents say it cannot do. */
export interface EngineProfile {
  /** How it declares a column of each normalised type that is tested on it. */
  types: Readonly<Record<string, string>>;
  /** Statements that come before the tables. */
  prelude?: string;
  quoteIdentifier(name: string): string;
  /** Text as a literal. */
  text(text: string): string;
  /** Literals of other kinds, where text in quotes is none. */
  literals?: Partial<Record<FieldKind, (spelled: string) => string>>;
  /** Whether it keeps a value at all. */
  keeps?(type: string, spelled: string): boolean;
  /** A value as it keeps it, where that is spelled differently. */
  stored?(type: string, spelled: string): string;
  limits: EngineLimits;
}

const doubled = (quote: string) => (text: string) =>
  `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
const hexOf = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
const same = (spelled: string) => spelled;

const postgres: EngineProfile = {
  types: {
    boolean: 'boolean',
    smallint: 'smallint',
    integer: 'integer',
    bigint: 'bigint',
    numeric: 'numeric',
    real: 'real',
    double: 'double precision',
    text: 'text',
    varchar: 'varchar(40)',
    char: 'char(5)',
    enum: 'mood',
    uuid: 'uuid',
    date: 'date',
    time: 'time',
    timestamp: 'timestamp',
    timestamptz: 'timestamptz',
    json: 'json',
    jsonb: 'jsonb',
    bytes: 'bytea',
    'integer[]': 'integer[]',
    inet: 'inet',
  },
  prelude: `create type mood as enum ('sad', 'ok', 'Happy')`,
  quoteIdentifier: doubled('"'),
  text: doubled("'"),
  literals: {
    bytes: (spelled) => `'\\x${hexOf(spelled)}'`,
    array: (spelled) => `'{${spelled.slice(1, -1)}}'`,
  },
  limits: { joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'], compared: (decimal) => decimal },
};

const sqlite: EngineProfile = {
  types: {
    boolean: 'boolean',
    smallint: 'smallint',
    integer: 'integer',
    bigint: 'bigint',
    numeric: 'numeric',
    real: 'real',
    double: 'double precision',
    text: 'text',
    varchar: 'varchar(40)',
    char: 'char(5)',
    uuid: 'uuid',
    date: 'date',
    time: 'time',
    timestamp: 'timestamp',
    timestamptz: 'timestamp with time zone',
    json: 'json',
    jsonb: 'jsonb',
    bytes: 'blob',
    other: '',
  },
  quoteIdentifier: doubled('"'),
  text: doubled("'"),
  literals: {
    boolean: same,
    integer: same,
    numeric: same,
    float: same,
    bytes: (spelled) => `x'${hexOf(spelled)}'`,
  },
  // "Beyond 15 digits they are floats already when they are stored" (docs/decisions/sums-and-equal-values.md).
  keeps: (type, spelled) => kindOf(type) !== 'numeric' || isExactInSqlite(decimalOf(spelled)),
  // It keeps no zeros at the end, by which PostgreSQL tells how many digits an average has.
  stored: (type, spelled) =>
    kindOf(type) === 'numeric' ? decimalText(decimalOf(spelled)) : spelled,
  limits: {
    joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'],
    compared: (decimal) => (isWhole64(decimal) ? decimal : decimalOf(String(numberOf(decimal)))),
  },
};

function utf8mb4Text(text: string): string {
  return `convert(x'${Buffer.from(text, 'utf8').toString('hex')}' using utf8mb4)`;
}

/** What DECIMAL(65, 30) holds. */
function isExactInMysql({ units, scale }: Decimal): boolean {
  const digits = String(units).replace('-', '').length;
  return scale <= 30 && digits - scale <= 35;
}

const mysql: EngineProfile = {
  // No two kinds of text have the same collation, and some have another character set.
  types: {
    boolean: 'boolean',
    smallint: 'smallint',
    integer: 'integer',
    bigint: 'bigint',
    numeric: 'decimal(65, 30)',
    real: 'float',
    double: 'double',
    text: 'longtext character set utf8mb4 collate utf8mb4_unicode_ci',
    varchar: 'varchar(40) character set utf8mb3 collate utf8mb3_general_ci',
    char: 'char(5) character set latin1',
    enum: "enum('sad', 'ok', 'Happy')",
    date: 'date',
    time: 'time(6)',
    timestamp: 'datetime(6)',
    timestamptz: 'timestamp(6) null',
    json: 'json',
    bytes: 'longblob',
  },
  quoteIdentifier: doubled('`'),
  // The backslash escapes in its literals, unless the session says otherwise.
  text: utf8mb4Text,
  literals: {
    boolean: same,
    integer: same,
    numeric: same,
    float: same,
    bytes: (spelled) => `x'${hexOf(spelled)}'`,
    date: (spelled) => `'${spelled}'`,
    time: (spelled) => `'${spelled}'`,
    timestamp: (spelled) => `'${momentOf(spelled).replace('T', ' ')}'`,
    timestamptz: (spelled) => `'${momentOf(spelled).replace('T', ' ')}'`,
    json: utf8mb4Text,
  },
  keeps: (type, spelled) => {
    if (kindOf(type) === 'numeric') return isExactInMysql(decimalOf(spelled));
    if (type === 'varchar') return !/[\u{10000}-\u{10ffff}]/u.test(spelled);
    if (kindOf(type) !== 'timestamptz') return true;
    // TIMESTAMP begins in 1970 and ends in 2038.
    const moment = Date.parse(spelled);
    return moment > 0 && moment < 2 ** 31 * 1000;
  },
  // All decimals of a column have its scale, by which PostgreSQL too tells how many digits an average has.
  stored: (type, spelled) =>
    kindOf(type) === 'numeric' ? withFraction(decimalText(decimalOf(spelled)), 30) : spelled,
  limits: {
    joinTypes: ['INNER', 'LEFT', 'RIGHT'],
    compared: (decimal) => decimal,
    constants: { integerMax: 2n ** 64n - 1n, digitsMax: 65, fractionDigitsMax: 30 },
  },
};

function withFraction(text: string, digits: number): string {
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(digits, '0')}`;
}

function isWhole64({ units, scale }: Decimal): boolean {
  const one = 10n ** BigInt(scale);
  return units % one === 0n && BigInt.asIntN(64, units / one) === units / one;
}

function numberOf({ units, scale }: Decimal): number {
  return Number(`${units}e-${scale}`);
}

function isExactInSqlite(decimal: Decimal): boolean {
  const digits = String(decimal.units).replace('-', '').replace(/0+$/, '');
  return isWhole64(decimal) || digits.length <= 15;
}

/** One entry per engine that runs locally: one without an entry does not compile. */
export const ENGINE_PROFILES: Readonly<Record<LocalEngineName, EngineProfile>> = {
  sqlite,
  postgres,
  mysql,
};

export function literalOf(profile: EngineProfile, type: string, spelled: string | null): string {
  if (spelled === null) return 'null';
  return profile.literals?.[kindOf(type)]?.(spelled) ?? profile.text(spelled);
}
