import type { KeyObject } from 'node:crypto';
import { aqlHash } from '../aql/aql-hash.js';
import type { PlannedQuery } from '../aql/build-plan.js';
import type { Aql } from '../aql/model.js';
import type { CompiledQuery, OutputColumn } from '../aql/plan.js';
import { renderPlan } from '../aql/render.js';
import type { BundleDatasource } from '../bundle/model.js';
import type { EncodedRow, Engine } from '../engines/contract.js';
import { statementTimeoutMs } from '../engines/statement-timeout.js';
import { VkitError } from '../errors/index.js';
import { GRANT_ISSUER, type GrantClaims } from '../grants/model.js';
import { checkGrantTimes, rememberVerified, verifyGrant } from '../grants/verify-grant.js';
import type { TokenCodec } from '../masking/token-codec.js';
import type { Connectors } from './connectors.js';
import type { ActiveBundle } from './control/active-bundle.js';
import { type Judgement, planQuery } from './control/judge.js';
import { sealRows, tokenAccess } from './seal-rows.js';

export interface ExecuteInput {
  /** The signed grant: the data plane believes nothing else. */
  jwt: string;
  grantId: string;
  requesterId: string;
  aql: Aql;
  active: ActiveBundle;
  /** What the policies say at this moment; every mask of the grant is added to it. */
  judgement: Judgement;
  signal: AbortSignal;
}

export interface Execution {
  columns: readonly OutputColumn[];
  /** Rows of the answer at most; the batches may hold one more where `truncatable`. */
  rowsMax: number;
  truncatable: boolean;
  batches: AsyncIterable<readonly EncodedRow[]>;
}

export interface DataPlane {
  /** Verifies the grant, compiles the query with its masks and starts it. Throws as `verifyGrant` and `Connector.run` do. */
  execute(input: ExecuteInput): Promise<Execution>;
  close(): Promise<void>;
}

export interface DataPlaneOptions {
  org: string;
  /** Public keys of the control plane, by key id. */
  grantKeys: ReadonlyMap<string, KeyObject>;
  engine: (name: string) => Engine;
  connectors: Connectors;
  tokens: TokenCodec;
  now: () => number;
  rowCap: number;
  /** Of datasources that do not say their own. */
  statementTimeoutMs: number;
}

/** What came of a grant and a query: the same for the same objects, but for the times of the grant. */
interface Prepared {
  of: Omit<ExecuteInput, 'signal'>;
  claims: GrantClaims;
  datasource: BundleDatasource;
  planned: PlannedQuery;
  query: CompiledQuery;
}

/** The data plane in the same process: it shares the bundle, and verifies the grant by itself all the same. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const verified = rememberVerified(options.grantKeys);
  // A judgement is one object for as long as nothing that it was made of has changed.
  const known = new WeakMap<Judgement, Prepared>();

  const prepare = async (input: Omit<ExecuteInput, 'signal'>): Promise<Prepared> => {
    const { jwt, requesterId, aql, active, judgement } = input;
    const claims = await verifyGrant(jwt, {
      keys: options.grantKeys,
      verified,
      issuer: GRANT_ISSUER,
      org: options.org,
      now: options.now(),
      active: { checksum: active.checksum, epoch: active.epoch },
      aqlSha256: aqlHash(aql),
      requesterId,
    });
    const { datasource } = judgement;
    if (!datasource || datasource.name !== claims.vkit.datasource) {
      throw new VkitError('grant_invalid', 'The grant is for another datasource.');
    }
    const planned = planQuery(active, judgement, {
      approved: true,
      rowCap: options.rowCap,
      grant: { masks: claims.vkit.masks, maxRows: claims.vkit.max_rows },
      tokens: tokenAccess(options.tokens, claims.jti),
    });
    const query = renderPlan(planned.plan, options.engine(datasource.type).dialect);
    return { of: input, claims, datasource, planned, query };
  };

  return {
    async execute({ signal, ...input }) {
      const found = known.get(input.judgement);
      const isSame = found !== undefined && isSameInput(found.of, input);
      const prepared = isSame ? found : await prepare(input);
      if (isSame) checkGrantTimes(found.claims, options.now());
      else known.set(input.judgement, prepared);
      const { datasource, planned, query } = prepared;
      const connector = await options.connectors.get(datasource);
      const { outputs } = planned.plan;
      return {
        columns: outputs.map(({ column }) => column),
        rowsMax: planned.rowsMax,
        truncatable: planned.truncatable,
        batches: sealRows(
          connector.run(query, {
            timeoutMs: statementTimeoutMs(datasource.config, options.statementTimeoutMs),
            signal,
          }),
          outputs.map(({ token }) => token?.domain),
          options.tokens,
        ),
      };
    },
    close: () => options.connectors.close(),
  };
}

/** Queries and bundles are never changed in place, so that the same objects say the same. */
function isSameInput(a: Prepared['of'], b: Prepared['of']): boolean {
  return (
    a.jwt === b.jwt &&
    a.requesterId === b.requesterId &&
    a.aql === b.aql &&
    a.active === b.active &&
    a.judgement === b.judgement
  );
}
