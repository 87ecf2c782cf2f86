type Axis = readonly string[];

const TRUTHS = ['yes', 'undecided', 'no'];
const DECIDED = ['yes', 'no'];
const ACTIONS = ['deny', 'require_approval', 'mask', 'allow'];
const METHODS = ['nullify', 'full', 'tokenize', 'hash', 'partial'];
const SEASONED = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'];
const UNSEASONED = ['Asia/Kolkata', 'Pacific/Kiritimati'];
const WINDOWS = ['after', 'before', 'after, before', 'after, before, over midnight'];
const SHAPES = ['name', 'glob', 'list'];

/** What the cases must reach, by the group of `Note`: every combination of the axes of each entry. */
const AXES: Readonly<Record<string, readonly (readonly Axis[])[]>> = {
  // Conditions.
  operator: [
    [['eq', 'neq', 'in', 'nin', 'lt', 'lte', 'gt', 'gte'], TRUTHS, ACTIONS],
    [['present'], DECIDED, ACTIONS],
  ],
  attribute: [
    [['requester_role'], ['none', 'one', 'several'], ACTIONS],
    [
      ['requester_clearance', 'requester_region', 'dataset_region', 'environment', 'purpose'],
      ['known', 'unknown'],
      ACTIONS,
    ],
    [['requester_mood'], ['no such attribute'], ACTIONS],
  ],
  conditions: [
    [['none'], ['yes']],
    [['some'], TRUTHS],
  ],
  form: [[['a scalar', 'a list', 'several operators'], TRUTHS]],
  'compared with': [[['a level', 'a number', 'a boolean'], TRUTHS]],
  'reference to': [
    [['$purpose', '$requester_role', '$requester_region', '$dataset_region'], TRUTHS],
    [['$requester_region, in order'], DECIDED],
    [['$requester_mood', '$constructor'], ['undecided']],
  ],
  time: [
    [[...WINDOWS, ...WINDOWS.map((window) => `${window}, days`), 'days'], DECIDED],
    [['the early hours of a window'], DECIDED],
    [['no such window'], ['undecided']],
  ],
  zone: [
    [SEASONED, ['summer', 'winter'], DECIDED],
    [UNSEASONED, ['always the same'], DECIDED],
  ],
  'the clocks change': [[SEASONED, ['just before', 'just after'], DECIDED]],

  // What a policy matches.
  names: [[['datasource', 'dataset'], SHAPES, DECIDED]],
  'name form': [
    [
      ['key', 'without datasource', 'without schema', 'without both'],
      ['same', 'other'],
    ],
  ],
  fields: [
    [
      [
        'sensitivity, one',
        'sensitivity, a list',
        'category, one',
        'category, a list',
        'contains',
        'any',
        'all',
        'several keys',
        'mask_except',
      ],
      DECIDED,
    ],
    [['contains by the category alone'], ['yes']],
    [['all, of which some'], ['no']],
  ],

  // Who asks.
  roles: [[['none', 'one', 'several']]],
  'narrowed by': [[['nothing', 'roles', 'clearance', 'clearance and roles']]],
  'on behalf': [
    [
      ['of a person', 'of nobody'],
      ['narrowed', 'whole'],
    ],
  ],
  'an allow on a purpose': [
    [['not said', 'said and assigned'], TRUTHS],
    [['only said'], ['undecided', 'no']],
  ],

  // What policies do to references.
  'a policy holds': [[ACTIONS, ['yes', 'undecided']]],
  'a reference is': [
    [['a field', 'a dataset'], ACTIONS],
    [['no field', 'of no dataset'], ['deny']],
  ],
  'a dataset by': [
    [
      [
        'its own policies',
        'its fields, some touched',
        'its fields, none touched',
        'the default, without fields',
      ],
      ACTIONS,
    ],
  ],
  'the default': [
    [['deny', 'require_approval'], ['deny']],
    [['mask'], ['mask', 'require_approval']],
    [['allow'], ['allow', 'mask', 'require_approval']],
  ],
  'mask by': [[['a rule', 'the default method', 'no method']]],
  'partial with': [[['prefix', 'suffix', 'min_length', 'no option']]],
  'two different partials': [[['give'], ['full', 'nullify']]],
  'a mask under approval': [[['all lift', 'some lift', 'none lifts']]],
  'a policy that lifts the mask': [
    [['yes'], ['lifts it']],
    [TRUTHS, ['does not lift it']],
  ],

  // What a request gets.
  action: [
    [
      ['deny', 'mask', 'allow'],
      ['by a policy', 'by none'],
    ],
    [['require_approval'], ['by a policy']],
  ],
  'a request of': [[['nothing'], ['deny']]],
  mask: [[METHODS, ['mask', 'require_approval']]],
  'under approval': [
    [['masked'], ['lifted', 'not lifted']],
    [['raw'], ['not lifted']],
  ],
  approvals: [[['by one', 'by several people', 'with metadata', 'without metadata', 'several']]],
  ttl: [[['the default', 'the ceiling', 'another']]],
  rows: [[['bounded', 'not bounded']]],
  auto_revoke: [[DECIDED]],
  trace: [[ACTIONS, TRUTHS]],
  'policies of a bundle': [[['none', 'up to ten', 'up to a hundred', 'more']]],
};

/** Every cell there is, as `group: part, part`. */
export const CELLS: ReadonlySet<string> = new Set(
  Object.entries(AXES).flatMap(([group, entries]) =>
    entries.flatMap((axes) => combinations(axes).map((cell) => nameOfCell(group, cell))),
  ),
);

export function nameOfCell(group: string, cell: readonly string[]): string {
  return `${group}: ${cell.join(' / ')}`;
}

function combinations(axes: readonly Axis[]): string[][] {
  return axes.reduce<string[][]>(
    (all, axis) => all.flatMap((cell) => axis.map((part) => [...cell, part])),
    [[]],
  );
}
