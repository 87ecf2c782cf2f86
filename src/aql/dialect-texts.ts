import type { Dialect } from './dialect.js';
import type { Expr } from './expression.js';
import type { PlanSource, ProjectedColumn } from './plan.js';

type Column = Extract<Expr, { node: 'column' }>;

/** What one dialect writes again in every query: made once, since it says nothing of the query. */
export interface DialectTexts {
  /** A column as it is read. Plans share the columns of a dataset (`planSources`), and with them their text. */
  column(column: Column): string;
  /** A table that stands in FROM itself, with its alias; plans share it as they do its columns. */
  source(source: PlanSource): string;
  /** The columns of derived tables, with their names; plans share these too. Only what binds no value may be here. */
  readonly projected: WeakMap<ProjectedColumn, string>;
  /** ` AS "c1"` of the first output, `index` being 0. */
  outputName(index: number): string;
}

const TEXTS = new WeakMap<Dialect, DialectTexts>();

export function textsOf(dialect: Dialect): DialectTexts {
  let texts = TEXTS.get(dialect);
  if (texts === undefined) {
    texts = createTexts(dialect);
    TEXTS.set(dialect, texts);
  }
  return texts;
}

function createTexts(dialect: Dialect): DialectTexts {
  const columns = new WeakMap<Column, string>();
  /** At most as many as a plan has outputs. */
  const outputNames: string[] = [];
  const sources = new WeakMap<PlanSource, string>();
  return {
    source(source) {
      let text = sources.get(source);
      if (text === undefined) {
        text = `${dialect.table(source.table)} AS ${dialect.quoteIdentifier(source.alias)}`;
        sources.set(source, text);
      }
      return text;
    },
    projected: new WeakMap(),
    column(column) {
      let text = columns.get(column);
      if (text === undefined) {
        text = writeColumn(column, dialect);
        columns.set(column, text);
      }
      return text;
    },
    outputName(index) {
      outputNames[index] ??= ` AS ${dialect.quoteIdentifier(`c${index + 1}`)}`;
      return outputNames[index];
    },
  };
}

function writeColumn({ source, name, kind, type }: Column, dialect: Dialect): string {
  // SQLite reads an unknown "name" as a text: qualified, it is an error.
  const column = `${dialect.quoteIdentifier(source)}.${dialect.quoteIdentifier(name)}`;
  return dialect.column(column, kind, type);
}
