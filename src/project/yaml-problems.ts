import type { Problem } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml, type YamlFile } from '../util/read-yaml.js';

export interface CheckedYaml {
  /** Of the form the schema asks for where there are no problems. */
  value: unknown;
  problems: Problem[];
  problemAt(
    path: readonly (string | number)[],
    code: string,
    message: string,
    suggestion?: string,
  ): Problem;
}

/** Reads a YAML file and compares it with its schema; every problem has the file, line and column. */
export function checkYaml(text: string, file: string, schema: object): CheckedYaml {
  const yaml = readYaml(text);
  const problemAt: CheckedYaml['problemAt'] = (path, code, message, suggestion) => ({
    file,
    ...positionOf(yaml, path),
    code,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  if (yaml.findings.length > 0) {
    const problems = yaml.findings.map(({ line, column, code, message }) => ({
      file,
      line,
      column,
      code,
      message,
    }));
    return { value: undefined, problems, problemAt };
  }
  const problems = checkSchema(schema, yaml.value ?? {}).map((finding) =>
    problemAt(finding.path, finding.code, finding.message, finding.suggestion),
  );
  return { value: yaml.value ?? {}, problems, problemAt };
}

/** People look for the key, not for what stands after it. */
function positionOf(yaml: YamlFile, path: readonly (string | number)[]) {
  return yaml.positionOf(path, 'key');
}
