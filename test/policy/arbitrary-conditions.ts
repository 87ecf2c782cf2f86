import fc from 'fast-check';
import type {
  Conditions,
  ConditionValue,
  OperatorCondition,
  Scalar,
  TimeCondition,
} from '../../src/policy/model.js';

export const ROLES = ['analyst', 'engineer', 'ai_agent', 'boss'] as const;
/** Some are words of other attributes, or numbers and booleans as text, so that references and YAML scalars meet them. */
export const REGIONS = ['EU', 'US', '49', 'high'] as const;
export const PURPOSES = ['fraud', '42', 'true', 'EU', 'analyst', 'engineer'] as const;
export const CLEARANCES = ['low', 'medium', 'high', 'admin'] as const;
/** Zones whose clocks change; one by half an hour, in the southern summer. */
export const CHANGING_ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'] as const;
const ZONES = [...CHANGING_ZONES, 'Asia/Kolkata', 'Pacific/Kiritimati', 'UTC'] as const;

/** What each attribute is compared with; a reference to itself is refused in files, and left out. */
const OPERANDS: Readonly<Record<string, readonly Scalar[]>> = {
  requester_role: [...ROLES, ...ROLES, '$purpose'],
  requester_clearance: [
    ...CLEARANCES,
    ...CLEARANCES,
    1,
    2,
    3,
    4,
    '$requester_region',
    '$requester_region',
  ],
  requester_region: [...REGIONS, 49, '$dataset_region', '$purpose'],
  dataset_region: ['EU', 'US', 'EU', '$requester_region', '$purpose'],
  environment: ['production', 'staging', '$purpose'],
  purpose: [
    ...PURPOSES,
    42,
    true,
    '$requester_region',
    '$requester_role',
    '$requester_role',
    '$dataset_region',
  ],
};

/** What no file may say, and what stays undecided: an order of what has none, names of nothing. */
const STRANGE: readonly [string, ConditionValue | TimeCondition][] = [
  ['requester_region', { eq: '$requester_mood' }],
  ['environment', { nin: ['staging', '$constructor'] }],
  ['requester_region', { lt: 'US' }],
  ['purpose', { gte: 'fraud' }],
  ['requester_clearance', { lte: 'cosmic' }],
  ['requester_clearance', { neq: 7 }],
  ['requester_mood', 'good'],
  ['time', { after: '09:00', before: '17:00', timezone: 'Mars/Olympus' }],
  ['time', { after: '09:00', before: '09:00' }],
  ['time', { timezone: 'Europe/Berlin' }],
];

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const CLOCKS = ['00:00', '01:00', '01:45', '02:00', '02:30', '03:00', '09:00', '17:00', '22:00'];

/** An operator object of one operator, mostly, each as often as the others. */
function operators(attribute: string, operand: fc.Arbitrary<Scalar>): fc.Arbitrary<ConditionValue> {
  const list = fc.array(operand, { minLength: 1, maxLength: 3 });
  const ones: fc.Arbitrary<OperatorCondition>[] = [
    operand.map((eq) => ({ eq })),
    operand.map((neq) => ({ neq })),
    list.map((values) => ({ in: values })),
    list.map((nin) => ({ nin })),
    fc.boolean().map((present) => ({ present })),
  ];
  if (attribute === 'requester_clearance') {
    ones.push(
      operand.map((lt) => ({ lt })),
      operand.map((lte) => ({ lte })),
      operand.map((gt) => ({ gt })),
      operand.map((gte) => ({ gte })),
    );
  }
  const one = fc.oneof(...ones);
  return fc.oneof(
    { weight: 2, arbitrary: operand },
    { weight: 1, arbitrary: list },
    { weight: 6, arbitrary: one },
    { weight: 1, arbitrary: fc.tuple(one, one).map(([a, b]) => ({ ...a, ...b })) },
  );
}

const window: fc.Arbitrary<TimeCondition> = fc
  .tuple(
    fc.constantFrom('after', 'before', 'both', 'both', 'both', 'days'),
    fc.constantFrom(...CLOCKS),
    fc.constantFrom(...CLOCKS.slice(1)),
    fc.option(fc.constantFrom(...ZONES, ...CHANGING_ZONES), { nil: undefined, freq: 8 }),
    fc.option(fc.subarray([...DAYS], { minLength: 1 }), { nil: undefined, freq: 2 }),
  )
  .map(([shape, after, before, timezone, days]) => ({
    ...((shape === 'after' || shape === 'both') && { after }),
    // A window that ends as it begins is refused in files.
    ...((shape === 'before' || shape === 'both') && {
      before: before === after && shape === 'both' ? '12:00' : before,
    }),
    ...(timezone !== undefined && { timezone }),
    ...(shape === 'days' ? { days: days ?? ['sun'] } : days !== undefined && { days }),
  }));

type Entry = [string, ConditionValue | TimeCondition];

const entry: fc.Arbitrary<Entry> = fc.oneof(
  ...Object.entries(OPERANDS).map(([attribute, operands]) => ({
    // It alone has an order, and so the most operators.
    weight: attribute === 'requester_clearance' ? 4 : 1,
    arbitrary: operators(attribute, fc.constantFrom(...operands)).map((value): Entry => {
      return [attribute, value];
    }),
  })),
  { weight: 4, arbitrary: window.map((value): Entry => ['time', value]) },
);

const strangeEntry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 9, arbitrary: entry },
  { weight: 1, arbitrary: fc.constantFrom(...STRANGE).map((one): Entry => [...one]) },
);

const onRoles: fc.Arbitrary<Entry> = operators('requester_role', fc.constantFrom(...ROLES)).map(
  (value): Entry => ['requester_role', value],
);

/**
 * The conditions of a policy: mostly few, since with all of them at once nothing would ever hold; often on roles alone.
 * `strange` ones hold what a file may not say.
 */
export function conditionsArbitrary(strange: boolean): fc.Arbitrary<Conditions> {
  const any = strange ? strangeEntry : entry;
  return fc
    .oneof(
      { weight: 2, arbitrary: fc.constant<Entry[]>([]) },
      { weight: 2, arbitrary: fc.tuple(onRoles) },
      { weight: 4, arbitrary: fc.tuple(any) },
      { weight: 2, arbitrary: fc.tuple(any, any) },
      { weight: 1, arbitrary: fc.tuple(onRoles, any, any) },
    )
    .map((entries) => Object.fromEntries(entries));
}
