// Before anything is drawn: the theme that the person chose, so that a dark room stays dark.
try {
  var theme = localStorage.getItem('tend.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is refused: the system's theme it is.
}
