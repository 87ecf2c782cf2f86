import { createHash } from 'node:crypto';
import type { ScannedColumn } from '../schema/model.js';

/** One live column; `position` counts from 1 among the columns that are not dropped. */
export interface CatalogColumn {
  name: string;
  position: number;
  type: string;
  native: string;
  nullable: boolean;
  generated: boolean;
  default: string | null;
  comment: string | null;
}

/** What a scan reports of a column: of defaults the digest alone, since they can hold secrets. */
export function scannedColumn(column: CatalogColumn): ScannedColumn {
  const { name, type, native, position, nullable, comment } = column;
  return {
    name,
    type,
    native,
    position,
    nullable,
    ...(column.generated ? { generated: true } : {}),
    ...(column.default === null ? {} : { default_digest: sha256Hex(column.default) }),
    ...(comment === null ? {} : { comment, comment_digest: sha256Hex(comment) }),
  };
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
