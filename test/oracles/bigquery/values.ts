/** A value of ZetaSQL (`value.proto`): `value` names the member that is set; none is NULL. */
export type ProtoValue = { value?: string } & Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
const MICROS = 1_000_000n;
const DECIMAL_SCALES: Readonly<Record<string, number>> = { NUMERIC: 9, BIGNUMERIC: 38 };

export function encodeParameter(type: string, value: unknown): object {
  switch (type) {
    case 'STRING':
      return { stringValue: String(value) };
    case 'FLOAT64':
      return { doubleValue: Number(value) };
    case 'BOOL':
      return { boolValue: String(value) === 'true' };
    case 'BYTES':
      return { bytesValue: Buffer.from(String(value), 'base64') };
    default:
      throw new Error(`The oracle takes no parameter of type ${type}.`);
  }
}

/** A value as BigQuery's API writes it. */
export function decodeValue(type: string, proto: ProtoValue | undefined): string | null {
  const value = proto?.value === undefined ? undefined : proto[proto.value];
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'INT64':
    case 'STRING':
    case 'BOOL':
    case 'JSON':
      return String(value);
    case 'FLOAT64':
      return String(value);
    case 'BYTES':
      return Buffer.from(value as Buffer).toString('base64');
    case 'NUMERIC':
    case 'BIGNUMERIC':
      return decimalText(value as Buffer, DECIMAL_SCALES[type] ?? 0);
    case 'DATE':
      return new Date(Number(value) * DAY_MS).toISOString().slice(0, 10);
    case 'TIMESTAMP': {
      const { seconds, nanos } = value as { seconds: string; nanos: number };
      return String(BigInt(seconds) * MICROS + BigInt(Math.floor(nanos / 1000)));
    }
    case 'DATETIME': {
      const { bitFieldDatetimeSeconds, nanos } = value as Record<string, string>;
      const bits = BigInt(bitFieldDatetimeSeconds ?? 0);
      const [year, month, day] = [part(bits, 26n, 14n), part(bits, 22n, 4n), part(bits, 17n, 5n)];
      const time = [part(bits, 12n, 5n), part(bits, 6n, 6n), part(bits, 0n, 6n)];
      const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
      return `${date}T${time.map((one) => pad(one)).join(':')}${fraction(Number(nanos))}`;
    }
    case 'TIME': {
      const bits = BigInt(value as string);
      const time = [part(bits, 42n, 5n), part(bits, 36n, 6n), part(bits, 30n, 6n)];
      return `${time.map((one) => pad(one)).join(':')}${fraction(Number(part(bits, 0n, 30n)))}`;
    }
    default:
      throw new Error(`The oracle has no text for type ${type}.`);
  }
}

function part(bits: bigint, from: bigint, width: bigint): bigint {
  return (bits >> from) & ((1n << width) - 1n);
}

function pad(number: bigint, width = 2): string {
  return String(number).padStart(width, '0');
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`;
}

/** Little-endian two's complement, as many bytes as it needs, of the number without its point. */
function decimalText(bytes: Buffer, scale: number): string {
  const hex = Buffer.from(bytes).reverse().toString('hex');
  const units = hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const rest = digits.slice(-scale).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}${rest === '' ? '' : `.${rest}`}`;
}
