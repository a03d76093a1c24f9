// Small things that every other module uses.

export const find = (selector, root = document) => root.querySelector(selector);

/** Make an element; text is text, never HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export const copy = (id) => document.getElementById(id).content.cloneNode(true);

/** Write a share for people; only nothing is 0 % and only everything 100 %. */
export function percent(share) {
  if (share > 0 && share <= 0.005) return "<1%";
  return share >= 0.995 && share < 1 ? ">99%" : `${Math.round(100 * share)}%`;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Give an element the colour of an expression; the style sheet draws with it. */
export function paint(node, expression) {
  node.style.setProperty("--c", `var(--${expression}, var(--ink))`);
}

/** The colour of an expression now, light or dark, for a canvas. */
export function tone(expression) {
  const style = getComputedStyle(document.documentElement);
  return style.getPropertyValue(`--${expression}`) || style.getPropertyValue("--ink");
}

/** Tell a screen reader. */
export const say = (text) => { find("#said").textContent = text; };

/** Show an error with what to do about it, and perhaps a button; nothing hides it. */
export function complain(node, error, again) {
  node.hidden = !error;
  node.replaceChildren();
  if (!error) return;
  const [first = "", ...rest] = error.hint ?? "";
  node.append(element("b", {}, error.message), first.toUpperCase(), rest.join(""));
  if (again) node.append(element("br"), element("button", { onclick: again }, "Try again"));
}

/** Make switches in a fieldset; `changed` hears the names of those that are on. */
export function chips(fieldset, choices, changed, on = []) {
  for (const [name, words] of Object.entries(choices)) {
    const input = element("input", { type: "checkbox", value: name, checked: on.includes(name) });
    input.addEventListener("change", () => {
      const boxes = [...fieldset.querySelectorAll("input:checked")];
      changed(boxes.map((box) => box.value));
    });
    fieldset.append(element("label", { class: "chip" }, input, element("span", {}, words)));
  }
}

/** Let the browser save a file. */
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
