import { compileMatch, datasetForms, listOf } from '../policy/compile-match.js';
import { isGlob } from '../policy/glob.js';
import { ACTIONS, type Action, type Policy } from '../policy/model.js';
import type { PolicyView } from '../schema/drift.js';
import { foldName } from '../util/fold-name.js';

const EFFECTS: Record<Action, (id: string) => string> = {
  deny: (id) => `denied by ${id}`,
  require_approval: (id) => `needs approval (${id})`,
  mask: (id) => `masked by ${id}`,
  allow: (id) => `allowed by ${id}`,
};

/**
 * What policies say of a field without a request: the strictest action of those that hold for everybody; where there is
 * none, of those that hold in some context, with `in its context`. A policy with `fields.all` counts as if all its fields were asked for.
 */
export function policyView(policies: readonly Policy[]): PolicyView {
  const sorted = [...policies].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  const compiled = sorted.map((policy) => ({
    policy,
    match: compileMatch(policy.match),
    except: new Set((policy.masking?.except ?? []).map((name) => foldName(name))),
    everybody: Object.keys(policy.when).length === 0,
  }));
  return {
    effectOn(dataset, datasource, name, field) {
      const target = { datasource, forms: formsOf(dataset, datasource) };
      const matching = compiled.filter(
        ({ match, except }) =>
          match.datasetFailure(target) === null &&
          match.fieldFailure({ ...field, name }) === null &&
          !except.has(foldName(name)),
      );
      const [chosen] = matching.sort((a, b) => rank(a) - rank(b) || strictness(a) - strictness(b));
      if (chosen === undefined) return null;
      const { policy, everybody } = chosen;
      return `${EFFECTS[policy.action](policy.id)}${everybody ? '' : ' in its context'}`;
    },
    namedBy(dataset, datasource, field) {
      const forms = formsOf(dataset, datasource).map((form) => foldName(form));
      const naming = compiled.filter(({ policy, match }) =>
        field === undefined
          ? namesOf(policy).some((name) => forms.includes(name))
          : match.datasetFailure({ datasource, forms }) === null &&
            fieldNamesOf(policy).includes(foldName(field)),
      );
      const [first, ...others] = naming;
      if (first === undefined) return null;
      const more = others.length === 0 ? '' : ` and ${others.length} more`;
      return `still named by policy ${first.policy.id}${more}`;
    },
  };
}

/** First what holds for everybody, then what speaks of this field, last what is about requesters and matches every field. */
function rank({ policy, everybody }: { policy: Policy; everybody: boolean }): number {
  if (everybody) return 0;
  return Object.keys(policy.match).length > 0 ? 1 : 2;
}

function strictness({ policy }: { policy: Policy }): number {
  return ACTIONS.indexOf(policy.action);
}

function namesOf({ match }: Policy): string[] {
  const names = match.dataset === undefined ? [] : listOf(match.dataset);
  return names.filter((name) => !isGlob(name)).map((name) => foldName(name));
}

function fieldNamesOf({ match, masking }: Policy): string[] {
  const { any = [], all = [] } = match.fields ?? {};
  const masks = [...Object.keys(masking?.rules ?? {}), ...(masking?.except ?? [])];
  return [...any, ...all, ...masks].map((name) => foldName(name));
}

/** The key's schema is what stands before its first dot, after the datasource. */
function formsOf(dataset: string, datasource: string): readonly string[] {
  const prefix = `${datasource}.`;
  const bare = dataset.startsWith(prefix) ? dataset.slice(prefix.length) : dataset;
  const dot = bare.indexOf('.');
  return datasetForms(dataset, datasource, dot === -1 ? '' : bare.slice(0, dot));
}
