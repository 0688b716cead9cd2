import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clampView, fitView, levelFor, MAX_SCALE, toScreen, zoomAt } from '../../web/src/viewer/view.ts';

const size = fc.record({ width: fc.integer({ min: 48, max: 9000 }), height: fc.integer({ min: 48, max: 9000 }) });
const pane = fc.record({ width: fc.integer({ min: 200, max: 3000 }), height: fc.integer({ min: 200, max: 2000 }) });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const scale = fc.double({ min: 0.001, max: 50, noNaN: true });

test('fitted: all of the picture is in the pane, in the middle', () => {
  fc.assert(
    fc.property(size, pane, (picture, room) => {
      const view = fitView(picture, room);
      const from = toScreen(view, room, 0, 0);
      const to = toScreen(view, room, picture.width, picture.height);
      expect(Math.min(from.x, from.y)).toBeGreaterThan(-1e-6);
      expect(to.x).toBeLessThan(room.width + 1e-6);
      expect(to.y).toBeLessThan(room.height + 1e-6);
      expect(from.x + to.x).toBeCloseTo(room.width, 5);
    }),
  );
});

test('whatever is asked for, the scale is between fitted and 800 % and no gap opens at a side that is covered', () => {
  fc.assert(
    fc.property(size, pane, scale, share, share, (picture, room, wanted, x, y) => {
      const view = clampView({ x: x * 3 * picture.width, y: y * 3 * picture.height, scale: wanted }, picture, room);
      expect(view.scale).toBeLessThanOrEqual(MAX_SCALE);
      const left = toScreen(view, room, 0, 0).x;
      const right = toScreen(view, room, picture.width, 0).x;
      if (picture.width * view.scale >= room.width) {
        expect(left).toBeLessThan(1e-6);
        expect(right).toBeGreaterThan(room.width - 1e-6);
      } else expect(left + right).toBeCloseTo(room.width, 4);
    }),
  );
});

test('zooming keeps what is under the pointer there, wherever the picture covers the pane', () => {
  fc.assert(
    fc.property(pane, share, share, fc.double({ min: 1, max: 3, noNaN: true }), (room, x, y, factor) => {
      const picture = { width: 8000, height: 8000 };
      const start = { x: 4000, y: 4000, scale: 1 };
      const [px, py] = [x * room.width, y * room.height];
      const under = { x: start.x + (px - room.width / 2) / start.scale, y: start.y + (py - room.height / 2) / start.scale };
      const now = toScreen(zoomAt(start, factor, px, py, picture, room), room, under.x, under.y);
      expect(now.x).toBeCloseTo(px, 4);
      expect(now.y).toBeCloseTo(py, 4);
    }),
  );
});

test.each([
  [8, 0],
  [1, 0],
  [0.6, 0],
  [0.5, 1],
  [0.3, 1],
  [0.25, 2],
  [0.001, 3],
])('at scale %d of four levels number %i is drawn, never one that must be enlarged', (at, level) => {
  expect(levelFor(at, 4)).toBe(level);
});
