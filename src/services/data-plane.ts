import type { KeyObject } from 'node:crypto';
import { aqlHash } from '../aql/aql-hash.js';
import type { Aql } from '../aql/model.js';
import type { OutputColumn } from '../aql/plan.js';
import { renderPlan } from '../aql/render.js';
import type { EncodedRow, Engine } from '../engines/contract.js';
import { statementTimeoutMs } from '../engines/statement-timeout.js';
import { VkitError } from '../errors/index.js';
import { GRANT_ISSUER } from '../grants/model.js';
import { rememberVerified, verifyGrant } from '../grants/verify-grant.js';
import type { TokenCodec } from '../masking/token-codec.js';
import type { Connectors } from './connectors.js';
import type { ActiveBundle } from './control/active-bundle.js';
import { type Judgement, planQuery } from './control/judge.js';
import { sealRows, tokenAccess } from './seal-rows.js';

export interface ExecuteInput {
  /** The signed grant: the data plane believes nothing else. */
  jwt: string;
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

/** The data plane in the same process: it shares the bundle, and verifies the grant by itself all the same. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const verified = rememberVerified(options.grantKeys);
  return {
    async execute({ jwt, requesterId, aql, active, judgement, signal }) {
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
      const engine = options.engine(datasource.type);
      const query = renderPlan(planned.plan, engine.dialect);
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
