// Letters so large that sixty of them fit across, as the smallest screen of the console needs; sixteen at most.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const terminal = document.getElementById("terminal");
  const asked = Number(new URLSearchParams(location.search).get("fontsize"));
  const fitting = Math.floor(innerWidth / 60 / 0.605);
  const size = asked >= 6 && asked <= 40 ? asked : Math.min(16, Math.max(6, fitting));
  terminal.dataset.fontSize = String(size);
  document.getElementById("again").addEventListener("click", () => location.reload());
});
// Keys go to the console as soon as it is there, without a click before.
new MutationObserver((_changes, watching) => {
  if (!document.body || !document.body.classList.contains("-first-byte")) return;
  watching.disconnect();
  document.querySelector(".xterm-helper-textarea").focus();
}).observe(document.documentElement, { attributes: true, subtree: true, attributeFilter: ["class"] });
