export interface GestureTargets {
  /** Zoom by a factor at a point (CSS pixels from the element's corner). */
  zoom(factor: number, x: number, y: number): void;
  /** Move by CSS pixels; `x` is where the pointer is now. */
  drag(dx: number, dy: number, x: number): void;
  doubleTap(x: number, y: number): void;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Mouse, pen, touch and wheel on the picture: drag, pinch, double tap, wheel. */
export function listenToGestures(element: HTMLElement, targets: GestureTargets): void {
  const pointers = new Map<number, Point>();
  let lastTap = 0;
  const local = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, local(event));
    const point = local(event);
    if (pointers.size === 1 && event.timeStamp - lastTap < 300) {
      targets.doubleTap(point.x, point.y);
      lastTap = 0;
    } else lastTap = event.timeStamp;
  });

  element.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = local(event);
    if (Math.hypot(now.x - before.x, now.y - before.y) > 4) lastTap = 0;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (other === undefined) {
      targets.drag(now.x - before.x, now.y - before.y, now.x);
      return;
    }
    const distance = (point: Point) => Math.hypot(point.x - other.x, point.y - other.y);
    targets.zoom(distance(now) / Math.max(1, distance(before)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    targets.drag((now.x - before.x) / 2, (now.y - before.y) / 2, now.x);
  });

  const release = (event: PointerEvent) => pointers.delete(event.pointerId);
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);

  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const step = Math.max(-240, Math.min(240, event.deltaY * lines));
      const point = local(event);
      targets.zoom(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.002)), point.x, point.y);
    },
    { passive: false },
  );
}
