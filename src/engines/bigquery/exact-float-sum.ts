/** Powers of ten that one part of the sum spans: what a BIGNUMERIC holds with 18 digits to spare on its right. */
const PART_DIGITS = 40;
const LOWEST = -280;
const HIGHEST = 280;

/**
 * The sum of FLOAT64 values, the same in whatever order they are read: SUM has no ORDER BY here. The values are added up
 * as exact decimals, in parts by their size, each scaled into what a BIGNUMERIC holds (10^-20 to 10^20), and the parts
 * are added up in their order. Infinities and NaN are added up by themselves. NULL where there is no value.
 */
export function exactFloatSum(operand: string): string {
  const size = `ABS(${operand})`;
  const parts: string[] = [];
  for (let exponent = LOWEST; exponent <= HIGHEST; exponent += PART_DIGITS) {
    const bounds = [
      ...(exponent === LOWEST ? [] : [`${size} >= 1e${exponent - PART_DIGITS / 2}`]),
      exponent === HIGHEST ? `NOT IS_INF(${operand})` : `${size} < 1e${exponent + PART_DIGITS / 2}`,
    ];
    const scaled = `SAFE_CAST(SAFE_MULTIPLY(${operand}, 1e${-exponent}) AS BIGNUMERIC)`;
    const part = `SUM(CASE WHEN ${bounds.join(' AND ')} THEN ${scaled} END)`;
    parts.push(`CAST(COALESCE(${part}, 0) AS FLOAT64) * 1e${exponent}`);
  }
  const special = `SUM(CASE WHEN IS_INF(${operand}) OR IS_NAN(${operand}) THEN ${operand} END)`;
  parts.push(`COALESCE(${special}, 0)`);
  return `(CASE WHEN COUNT(${operand}) > 0 THEN ${parts.join(' + ')} END)`;
}
