/** Powers of ten of which each part of the sum has this many. */
const DECADES = 35;
const LOWEST = -280;
const HIGHEST = 280;
/** A part's values, scaled, lie between these: 15 digits and more of each fit into 30 after the point. */
const LOW = -15;
const HIGH = LOW + DECADES;

/**
 * The sum of floats, the same in whatever order the rows are read. SUM has no ORDER BY here, so the values are added as
 * exact decimals, in parts by their magnitude, each scaled into the digits that a DECIMAL has; what is added up as
 * floats in the end is the parts, in their order.
 */
export function orderedFloatSum(operand: string): string {
  const parts: string[] = [];
  for (let exponent = LOWEST; exponent <= HIGHEST; exponent += DECADES) {
    const size = `ABS(${operand})`;
    const bounds = [
      ...(exponent === LOWEST ? [] : [`${size} >= 1e${exponent + LOW}`]),
      ...(exponent === HIGHEST ? [] : [`${size} < 1e${exponent + HIGH}`]),
    ];
    const scaled = `CAST(${operand} * 1e${-exponent} AS DECIMAL(65,30))`;
    const part = `SUM(CASE WHEN ${bounds.join(' AND ')} THEN ${scaled} END)`;
    parts.push(`COALESCE(${part}, 0) * 1e${exponent}`);
  }
  return `(CASE WHEN COUNT(${operand}) > 0 THEN ${parts.join(' + ')} END)`;
}
