import type { AggregateFunction } from '../../../src/aql/model.js';
import { addDecimals, averageOf, type Decimal, decimalOf } from './decimal.js';
import { compareValues, isDecimal, type Value } from './value.js';

/** An aggregate of the values of a group; NULLs are left out. `count(*)` counts rows, whatever they hold. */
export function aggregate(func: AggregateFunction, values: readonly Value[]): Value {
  const known = values.filter((value) => value !== null);
  switch (func) {
    case 'count':
      return decimalOf(String(known.length));
    case 'count_distinct':
      return decimalOf(String(distinct(known).length));
    case 'min':
      return known.reduce(
        (least, one) => (compareValues(one, least) < 0 ? one : least),
        first(known),
      );
    case 'max':
      return known.reduce((most, one) => (compareValues(one, most) > 0 ? one : most), first(known));
    case 'sum':
      return sumOf(known);
    default:
      return average(known);
  }
}

function first(values: readonly Value[]): Value {
  return values[0] ?? null;
}

function distinct(values: readonly Value[]): Value[] {
  return values.filter(
    (value, at) => !values.slice(0, at).some((one) => compareValues(one, value) === 0),
  );
}

function sumOf(values: readonly Value[]): Value {
  if (values.length === 0) return null;
  const decimals = values.filter(isDecimal);
  if (decimals.length > 0) return decimals.reduce(addDecimals);
  return values.reduce((total: number, value) => total + Number(value), 0);
}

function average(values: readonly Value[]): Value {
  const sum = sumOf(values);
  if (sum === null) return null;
  return typeof sum === 'number' ? sum / values.length : averageOf(sum as Decimal, values.length);
}
