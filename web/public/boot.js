// Runs before the first paint, as a file of its own because the page allows no inline script:
// the chosen theme and language would otherwise flash the wrong one.
(() => {
  const read = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage is blocked: the browser's own preference holds
    }
  };
  const theme = read('mingxi.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  const chosen = read('mingxi.language') ?? navigator.language;
  document.documentElement.lang = /^zh/i.test(chosen) ? 'zh-CN' : 'en';
})();
