import { type TObject, type TProperties, Type } from 'typebox';

/** An object that refuses keys it does not know. */
export function strict<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: false });
}

/** PostgreSQL takes no NUL, and nothing is named with one. */
const name = (max: number) =>
  Type.String({ minLength: 1, maxLength: max, pattern: '^[^\\u0000]+$' });

/** What a person says for the record: blanks say nothing. */
const Text = (max: number) => Type.String({ minLength: 1, maxLength: max, pattern: '\\S' });

/** A role, clearance, region or purpose. */
export const Attribute = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9](?:[A-Za-z0-9_.:/ -]*[A-Za-z0-9_.:/-])?$',
});
const Attributes = Type.Array(Attribute, { maxItems: 64, uniqueItems: true });

export const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: '^[^\\s@\\p{C}]+@[^\\s@\\p{C}]+$',
});
const Password = Type.String({ minLength: 1, maxLength: 1024 });

export const OrgParams = strict({ org: name(64) });
export const IdParams = strict({ org: name(64), id: name(128) });

export const LoginBody = strict({ email: Email, password: Password });

/** 256 bits in base64url, or their SHA-256. */
const Random = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
export const CliAuthorizeQuery = strict({
  challenge: Random,
  port: Type.String({ pattern: '^([1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|[2-9][0-9]{3})$' }),
  state: Random,
});
/** What a provider sends along is its own affair. */
export const CliCallbackQuery = Type.Object({}, { additionalProperties: true });
export const CliTokenBody = strict({ code: Random, verifier: Random });

export const SessionQuery = strict({
  mine: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')])),
  user: Type.Optional(name(254)),
  state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('all')])),
});

export const CreateUserBody = strict({
  email: Email,
  password: Type.Optional(Password),
  roles: Type.Optional(Attributes),
  clearance: Type.Optional(Type.Union([Attribute, Type.Null()])),
  region: Type.Optional(Type.Union([Attribute, Type.Null()])),
  purposes: Type.Optional(Attributes),
});

export const UpdateUserBody = strict({
  login: Type.Optional(Type.Literal('oidc')),
  roles: Type.Optional(Attributes),
  clearance: Type.Optional(Type.Union([Attribute, Type.Null()])),
  region: Type.Optional(Type.Union([Attribute, Type.Null()])),
  purposes: Type.Optional(Attributes),
});

export const PasswordBody = strict({ password: Password });

/** Ten years: a bound, not advice. */
const SECONDS_MAX = 3_650 * 86_400;

export const CreateAgentTokenBody = strict({
  // Something to see, and nothing that is not text.
  name: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: '^[^\\p{C}]*[^\\p{C}\\s][^\\p{C}]*$',
  }),
  roles: Type.Optional(Attributes),
  clearance: Type.Optional(Type.Union([Attribute, Type.Null()])),
  region: Type.Optional(Type.Union([Attribute, Type.Null()])),
  purposes: Type.Optional(Attributes),
  datasources: Type.Optional(
    Type.Union([
      Type.Array(name(128), { minItems: 1, maxItems: 64, uniqueItems: true }),
      Type.Null(),
    ]),
  ),
  on_behalf_of: Type.Optional(Type.Union([name(254), Type.Null()])),
  expires_in_seconds: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: SECONDS_MAX }), Type.Null()]),
  ),
});

/** As a project's files have them; the form of `config` is its engine's, and checked with it. */
const DatasourceId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[a-z][a-z0-9_]*$',
  description: "The id of the project's file, and of its datasets.",
});
const Place = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]*$',
});
const Globs = Type.Union([
  Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 1_000 }),
  Type.Null(),
]);
/** A key of a service's account is the longest. */
const SECRET_CHARACTERS_MAX = 32_768;
const datasourceParts = {
  environment: Type.Optional(Place),
  region: Type.Optional(Type.Union([Place, Type.Null()])),
  config: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'Address, TLS and options.' }),
  ),
  include: Type.Optional(Globs),
  exclude: Type.Optional(Globs),
  username: Type.Optional(Type.Union([name(256), Type.Null()])),
  password: Type.Optional(
    Type.String({
      maxLength: SECRET_CHARACTERS_MAX,
      description: 'Sealed for this endpoint alone; no answer has it.',
    }),
  ),
};
const EngineName = name(64);

export const CreateDatasourceBody = strict({
  id: DatasourceId,
  engine: EngineName,
  ...datasourceParts,
});
export const UpdateDatasourceBody = strict({
  engine: Type.Optional(EngineName),
  ...datasourceParts,
});
export const ScanDatasourceBody = Type.Union([
  strict({ include: datasourceParts.include, exclude: datasourceParts.exclude }),
  Type.Null(),
]);

export const DeployBody = strict({
  bundle: Type.Object({}, { additionalProperties: true }),
  activate: Type.Optional(Type.Boolean()),
});

const NamedBundle = Type.Union([
  Type.String({ pattern: '^(active|v?[1-9][0-9]{0,8})$' }),
  Type.Object({}, { additionalProperties: true }),
]);
export const ReplayBody = strict({
  from: NamedBundle,
  to: NamedBundle,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000 })),
});

/** More names than any query may have. */
const FIELDS_MAX = 1_000;
const FieldNames = Type.Array(name(256), { maxItems: FIELDS_MAX, uniqueItems: true });
const Purpose = Text(256);

export const ExplainBody = strict({
  // Its form is checked by the AQL parser, which reports every problem with its pointer.
  aql: Type.Optional(Type.Any()),
  dataset: Type.Optional(name(256)),
  fields: Type.Optional(FieldNames),
  requester: strict({
    roles: Type.Optional(Attributes),
    clearance: Type.Optional(Attribute),
    region: Type.Optional(Attribute),
    purpose: Type.Optional(Purpose),
    purpose_assigned: Type.Optional(Type.Boolean()),
    agent: Type.Optional(Type.Boolean()),
    user: Type.Optional(name(254)),
  }),
  at: Type.Optional(Type.String({ minLength: 10, maxLength: 40 })),
});

export const ReasonBody = strict({ reason: Text(2_000) });
export const OptionalReasonBody = strict({ reason: Type.Optional(Text(2_000)) });
export const EmptyBody = Type.Union([strict({}), Type.Null()]);

export const RotateVaultBody = strict({
  after: Type.Optional(strict({ kind: name(64), id: name(256) })),
});

const TtlSeconds = Type.Integer({ minimum: 1, maximum: 86_400 });

const narrowing = {
  role: Type.Optional(Attribute),
  environment: Type.Optional(Attribute),
  requester_region: Type.Optional(Attribute),
  requester_clearance: Type.Optional(Attribute),
  dataset_region: Type.Optional(Attribute),
};

export const SubmitBody = strict({
  // Its form is checked by the AQL parser, which reports every problem with its pointer.
  aql: Type.Any(),
  datasource: Type.Optional(name(128)),
  purpose: Type.Optional(Purpose),
  reason: Type.Optional(Text(2_000)),
  metadata: Type.Optional(
    Type.Record(
      Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9_.-]*$' }),
      Type.String({ maxLength: 1_000 }),
      // Without the second, a key that does not fit the pattern would bring any value along.
      { maxProperties: 32, additionalProperties: false },
    ),
  ),
  ttl_seconds: Type.Optional(TtlSeconds),
  approval_required: Type.Optional(Type.Boolean()),
  ...narrowing,
});

export const IntentBody = strict({
  request: Type.Any(),
  requester_region: narrowing.requester_region,
  requester_clearance: narrowing.requester_clearance,
});

export const ApproveBody = strict({
  ttl_seconds: Type.Optional(TtlSeconds),
  notes: Type.Optional(Text(2_000)),
});

const Limit = Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' }));
export const REQUEST_STATES = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const;
export const ListQuery = strict({
  state: Type.Optional(
    Type.Union([
      Type.Literal('all'),
      Type.Literal('pending'),
      Type.Literal('approved'),
      Type.Literal('denied'),
      Type.Literal('expired'),
      Type.Literal('cancelled'),
    ]),
  ),
  limit: Limit,
});

const Time = Type.String({ minLength: 10, maxLength: 40 });
export const AuditQuery = strict({
  user: Type.Optional(name(254)),
  action: Type.Optional(name(64)),
  dataset: Type.Optional(name(256)),
  request: Type.Optional(name(128)),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  order: Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')])),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
  limit: Limit,
});

export const ExportQuery = strict({
  user: Type.Optional(name(254)),
  action: Type.Optional(name(64)),
  dataset: Type.Optional(name(256)),
  request: Type.Optional(name(128)),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  format: Type.Optional(Type.Union([Type.Literal('jsonl'), Type.Literal('csv')])),
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$' })),
});

export const CheckpointsQuery = strict({
  order: Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')])),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
  limit: Limit,
});

export const DiscoverQuery = strict({
  environment: narrowing.environment,
  dataset_region: narrowing.dataset_region,
  requester_region: narrowing.requester_region,
});
