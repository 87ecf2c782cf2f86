/** Mask methods from strictest to mildest; the strictest of all that match applies. */
export const MASK_METHODS = ['nullify', 'full', 'tokenize', 'hash', 'partial'] as const;
export type MaskMethod = (typeof MASK_METHODS)[number];

/** A mask with its options resolved. The options are those of `partial` and absent elsewhere. */
export type Mask =
  | { method: Exclude<MaskMethod, 'partial'> }
  | {
      method: 'partial';
      /** Leading characters (Unicode code points) that stay, default 3. */
      prefix: number;
      /** Trailing characters that stay, default 0. */
      suffix: number;
      /** A shorter text is `****`; default twice the sum of both. */
      minLength: number;
    };
