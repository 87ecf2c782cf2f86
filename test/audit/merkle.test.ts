import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, MerkleTree, rootOf } from '../../src/audit/merkle.js';

/** The tree as RFC 6962, 2.1 defines it, over the data of its leaves. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const sha256 = (...parts: Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Buffer.from([0]), only);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)].map(rootByDefinition);
  return sha256(Buffer.from([1]), left ?? only, right ?? only);
}

describe('the Merkle tree', () => {
  // The first leaves of the tests of Certificate Transparency, whose data are the empty text and 0x00.
  it('has the hashes that RFC 6962 gives', () => {
    expect(new MerkleTree().root()).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(leafHash('').toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    const tree = new MerkleTree();
    const roots = CT_LEAVES.map((leaf) => {
      tree.append(leaf);
      return tree.root();
    });
    expect(roots).toEqual(CT_ROOTS);
  });

  it('has the root of the definition at every size, also when it is continued', () => {
    const leaves = Array.from({ length: 70 }, (_, index) =>
      createHash('sha256').update(String(index)).digest(),
    );
    let tree = new MerkleTree();
    for (const [index, leaf] of leaves.entries()) {
      tree = new MerkleTree(tree.count, tree.peaks);
      tree.append(leaf.toString('hex'));
      expect(tree.root()).toBe(rootByDefinition(leaves.slice(0, index + 1)).toString('hex'));
    }
    expect(tree.peaks).toHaveLength(3);
  });

  it('takes no peaks that no tree of its size has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (count) => {
        const ones = count.toString(2).replaceAll('0', '').length;
        const peaks = Array.from({ length: ones + 1 }, () => Buffer.alloc(32));
        expect(() => new MerkleTree(count, peaks)).toThrow(RangeError);
        expect(new MerkleTree(count, peaks.slice(1)).root()).toBe(rootOf(peaks.slice(1)));
      }),
    );
  });
});

const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];

const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
