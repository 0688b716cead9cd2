import { Studio } from './studio.ts';

const root = document.querySelector<HTMLElement>('#app');
if (root !== null) {
  const studio = new Studio(root);
  void studio.open();
  addEventListener('beforeunload', (event) => {
    if (studio.busy) event.preventDefault();
  });
}
