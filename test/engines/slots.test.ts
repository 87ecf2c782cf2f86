import { describe, expect, it } from 'vitest';
import { createSlots } from '../../src/engines/slots.js';

describe('slots', () => {
  it('go to those who wait, in order', async () => {
    const slots = createSlots(1);
    const first = await slots.acquire(100);
    const order: string[] = [];
    const others = ['b', 'c'].map(async (name) => {
      const slot = await slots.acquire(1_000);
      order.push(name);
      if (typeof slot === 'function') slot();
    });
    if (typeof first === 'function') {
      first();
      // Freed twice is freed once.
      first();
    }
    await Promise.all(others);
    expect(order).toEqual(['b', 'c']);
    expect(await slots.acquire(10)).toBeTypeOf('function');
    expect(await slots.acquire(10)).toBe('busy');
  });

  it('are not waited for longer than asked, nor after an abort', async () => {
    const slots = createSlots(1);
    const held = await slots.acquire(10);
    const controller = new AbortController();
    const waiting = slots.acquire(60_000, controller.signal);
    controller.abort();
    expect(await waiting).toBe('aborted');
    expect(await slots.acquire(20)).toBe('busy');
    expect(await slots.acquire(20, controller.signal)).toBe('aborted');
    if (typeof held === 'function') held();
    expect(await slots.acquire(20)).toBeTypeOf('function');
  });
});
