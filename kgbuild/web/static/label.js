// Single keys, answers without a page load, and answers that outlast a lost connection.
// Without this script the same forms work, a page load each.

const PATIENCE_MS = 10_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000];
const KEYS_OFF = "kgbuild-keys-off";

const byId = (id) => document.getElementById(id);
const offline = byId("offline");
const dialog = byId("guideline");

let isSending = false;
let tryNow = () => {};

// How long a sentence was looked at; time with the page out of sight does not count.
const watch = {
  spent: 0,
  since: document.hidden ? null : performance.now(),
  pause() {
    if (this.since !== null) this.spent += performance.now() - this.since;
    this.since = null;
  },
  go() {
    this.since ??= performance.now();
  },
  restart() {
    this.spent = 0;
    this.since = document.hidden ? null : performance.now();
  },
  get seconds() {
    const running = this.since === null ? 0 : performance.now() - this.since;
    return ((this.spent + running) / 1000).toFixed(1);
  },
};
document.addEventListener("visibilitychange", () => (document.hidden ? watch.pause() : watch.go()));

// A request of one turn: sent again it changes nothing, so a lost reply can be asked for anew.
async function post(url, body, what) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const reply = await fetch(url, {
        method: "POST",
        body,
        headers: { "X-Kgbuild-Script": "1" },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await reply.text();
      offline.hidden = true;
      return text;
    } catch {
      offline.querySelector("p").textContent =
        `No connection. ${what} is not confirmed yet; trying again…`;
      offline.hidden = false;
      const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
      await new Promise((resolve) => {
        tryNow = resolve;
        setTimeout(resolve, wait);
      });
    }
  }
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = page.querySelector("main");
  if (main === null) {
    location.reload();
    return;
  }
  const focused = document.activeElement?.id;
  const opened = [...document.querySelectorAll("main details[open]")].map((one) => one.id);
  document.querySelector("main").replaceWith(document.adoptNode(main));
  document.title = page.title;
  // A comment belongs to one sentence; what else was open stays open.
  for (const id of opened) if (id !== "remark") byId(id)?.setAttribute("open", "");
  const kept = focused && focused !== "comment" ? byId(focused) : null;
  (kept ?? byId("sentence"))?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  const told = ["notice", "refusal", "sentence"].map((id) => byId(id)?.textContent.trim());
  byId("said").textContent = told.filter(Boolean).join(" ");
  watch.restart();
}

async function send(form, button) {
  if (isSending) return;
  isSending = true;
  if (form.elements.seconds) form.elements.seconds.value = watch.seconds;
  const body = new URLSearchParams(new FormData(form, button));
  const main = document.querySelector("main");
  main.setAttribute("aria-busy", "true");
  button?.classList.add("chosen");
  try {
    show(await post(form.action, body, body.get("label") ? `“${body.get("label")}”` : "Undo"));
  } finally {
    isSending = false;
    main.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "answer" && event.target.id !== "undo") return;
  event.preventDefault();
  if (event.target.id === "answer" && !event.submitter?.value) return;
  send(event.target, event.submitter);
});

function openGuideline() {
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#how") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openGuideline();
  } else if (event.target === dialog) {
    dialog.close();
  }
});

function focusComment() {
  if (byId("remark")?.open) byId("comment").focus();
}

// "toggle" does not bubble.
document.addEventListener("toggle", (event) => event.target.id === "remark" && focusComment(), true);

const areKeysOff = () => localStorage.getItem(KEYS_OFF) !== null;
const useKeys = byId("use-keys");
if (useKeys) {
  useKeys.checked = !areKeysOff();
  document.body.classList.toggle("keys-off", areKeysOff());
  useKeys.addEventListener("change", () => {
    if (useKeys.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
    document.body.classList.toggle("keys-off", areKeysOff());
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const writes = event.target.closest?.("textarea, input:not([type=checkbox])");
  if (writes) {
    if (event.key === "Escape") byId("sentence").focus();
    return;
  }
  // A key that is held down is one answer, not many.
  if (event.repeat || areKeysOff()) return;
  if (dialog.open) {
    if (event.key === "?") dialog.close();
    return;
  }
  const key = CSS.escape(event.key.toLowerCase());
  const target = document.querySelector(`main [data-key="${key}"]`);
  if (target === null) return;
  event.preventDefault();
  target.click();
  // "toggle" comes later: the next letter, typed fast, would still be an answer.
  if (target.closest("#remark")) focusComment();
});

offline.querySelector("button").addEventListener("click", () => tryNow());
window.addEventListener("online", () => tryNow());
window.addEventListener("beforeunload", (event) => {
  if (isSending) event.preventDefault();
});
// A page that "back" brings out of memory shows an old sentence.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// Keys are heard from here on; before it, only the forms work.
document.body.dataset.script = "ready";
