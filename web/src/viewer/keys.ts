import type { Viewer } from './viewer.ts';

const STEP = 60;

/** The keyboard of the stage and of its divider. */
export function listenToKeys(stage: HTMLElement, divider: HTMLElement, viewer: Viewer): void {
  const actions: Readonly<Record<string, () => void>> = {
    '+': () => viewer.zoom(1.25),
    '=': () => viewer.zoom(1.25),
    '-': () => viewer.zoom(0.8),
    '0': () => viewer.fit(),
    '1': () => viewer.zoomTo(1),
    '8': () => viewer.zoomTo(8),
    ArrowLeft: () => viewer.pan(STEP, 0),
    ArrowRight: () => viewer.pan(-STEP, 0),
    ArrowUp: () => viewer.pan(0, STEP),
    ArrowDown: () => viewer.pan(0, -STEP),
    ' ': () => {
      viewer.holding = true;
    },
  };
  const onDivider: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => viewer.moveDivider(-0.02),
    ArrowRight: () => viewer.moveDivider(0.02),
    PageUp: () => viewer.moveDivider(-0.1),
    PageDown: () => viewer.moveDivider(0.1),
    Home: () => viewer.moveDivider(-1),
    End: () => viewer.moveDivider(1),
  };
  stage.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = (event.target === divider ? onDivider[event.key] : undefined) ?? actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  stage.addEventListener('keyup', (event) => {
    if (event.key === ' ') viewer.holding = false;
  });
  stage.addEventListener('blur', () => {
    viewer.holding = false;
  });
}
