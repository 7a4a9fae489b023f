// Light, dark, or as the system says.
function setUpTheme() {
  const button = byId("theme"), modes = ["auto", "light", "dark"];
  let mode = "auto";
  try { mode = localStorage.getItem("neurodecode-theme") || "auto"; } catch { /* storage is off */ }
  const show = () => {
    if (!modes.includes(mode)) mode = "auto";
    if (mode === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = mode;
    button.textContent = `Theme: ${mode}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    mode = modes[(modes.indexOf(mode) + 1) % modes.length];
    try { localStorage.setItem("neurodecode-theme", mode); } catch { /* storage is off */ }
    show();
  });
  show();
}
