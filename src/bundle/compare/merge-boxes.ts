/** The places of some values in each dimension: all cells that have one of them in every dimension. */
export type Box = readonly (readonly number[])[];

/**
 * Cells, each by its place in every dimension, as few boxes that hold exactly these. Boxes that differ in one dimension
 * only are joined, dimension by dimension from the last; the same cells always give the same boxes.
 */
export function mergeBoxes(cells: readonly (readonly number[])[]): readonly Box[] {
  let boxes: readonly Box[] = cells.map((cell) => cell.map((place) => [place]));
  const dimensions = cells[0]?.length ?? 0;
  for (let dimension = dimensions - 1; dimension >= 0; dimension -= 1) {
    boxes = joinAlong(boxes, dimension);
  }
  return boxes;
}

function joinAlong(boxes: readonly Box[], dimension: number): readonly Box[] {
  const joined = new Map<string, number[][]>();
  for (const box of boxes) {
    const key = JSON.stringify(box.map((places, index) => (index === dimension ? null : places)));
    const known = joined.get(key);
    if (known === undefined)
      joined.set(
        key,
        box.map((places) => [...places]),
      );
    else known[dimension]?.push(...(box[dimension] ?? []));
  }
  return [...joined.values()].map((box) => box.map((places) => places.sort((a, b) => a - b)));
}
