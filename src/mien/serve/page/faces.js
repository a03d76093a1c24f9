// Faces as boxes over a picture and as bars beside it. What is there already is changed, not made
// anew, so that boxes and bars move smoothly.

import { element, paint, percent, plural } from "./dom.js";

const TAG = 34; // pixels that a tag takes above or below its box

/** What to show of a face: the smoothed answer where there is one. */
export function reading(face) {
  const probabilities = face.smoothed ?? face.probabilities;
  const names = Object.keys(probabilities);
  const expression = names.reduce((a, b) => (probabilities[b] > probabilities[a] ? b : a));
  const certain = face.smoothed_certain ?? face.certain;
  return { expression, share: probabilities[expression], probabilities, certain };
}

/** Give a face in pixels of a picture that is so many times as large. */
export const scaled = (face, times) =>
  ({ ...face, box_xyxy: face.box_xyxy.map((x) => (x + 0.5) * times - 0.5) });

/** Say a face in words. */
export function words(face) {
  const { expression, share, certain } = reading(face);
  const hidden = !face.hidden ? UNKNOWN : face.hidden.length && `${face.hidden.join(" and ")} hidden`;
  return `${expression} ${percent(share)}${certain ? "" : ", not certain"}${hidden ? `, ${hidden}` : ""}`;
}

const UNKNOWN = "hidden: not known"; // not every model says it

export const say = (faces) =>
  faces.length ? `${plural(faces.length, "face")}: ${faces.map(words).join("; ")}` : "no face found";

/** Boxes over a picture; `pick` hears which face was pressed, if they can be. */
export class Boxes {
  #nodes = new Map();

  constructor(layer, pick = null) {
    this.layer = layer;
    this.pick = pick;
  }

  /** faces: predictions with a `key` each, in pixels of a picture of this width and height. */
  update(faces, { width, height, mirror = false, picked = null }) {
    keep(this.#nodes, faces);
    for (const [index, face] of faces.entries()) {
      const node = this.#nodes.get(face.key) ?? this.#make(face.key);
      const [x0, y0, x1, y1] = face.box_xyxy;
      const left = mirror ? width - x1 : x0;
      Object.assign(node.style, {
        left: `${(100 * left) / width}%`, top: `${(100 * y0) / height}%`,
        width: `${(100 * (x1 - x0)) / width}%`, height: `${(100 * (y1 - y0)) / height}%`,
      });
      const { expression, share, certain } = reading(face);
      paint(node, expression);
      node.classList.toggle("doubt", !certain);
      node.classList.toggle("picked", face.key === picked && faces.length > 1);
      if (this.pick) node.setAttribute("aria-pressed", face.key === picked);
      const [tag] = node.children;
      const narrow = ((x1 - x0) / width) * this.layer.clientWidth < 84 && faces.length > 3;
      const number = faces.length > 1 ? `${face.track ?? index + 1} ` : "";
      const answer = `${expression} ${percent(share)}${certain ? "" : "?"}`;
      tag.replaceChildren(element("i", {}, number), narrow ? "" : answer);
      const scale = this.layer.clientHeight / height;
      const above = y0 * scale >= TAG;
      tag.classList.toggle("under", !above && (height - y1) * scale >= TAG);
      tag.classList.toggle("low", !above && (height - y1) * scale < TAG);
      tag.classList.toggle("flip", left / width > 0.62);
    }
    if (faces.length > 1) this.#part(faces);
  }

  /** Put a tag that would cover another below its box; where that is not enough, numbers must do. */
  #part(faces) {
    const tags = faces.map(({ key }) => this.#nodes.get(key).firstChild);
    const placed = [];
    const covers = (tag) => placed.some((other) => overlapping(tag.getBoundingClientRect(), other));
    for (const tag of tags) {
      if (covers(tag)) tag.classList.add("under");
      if (covers(tag)) return tags.forEach(({ lastChild }) => { lastChild.data = ""; });
      placed.push(tag.getBoundingClientRect());
    }
  }

  #make(key) {
    const tag = element("span", { class: "tag" });
    const title = "Compare this face";
    const pressed = { type: "button", class: "box", title, onclick: () => this.pick(key) };
    const node = this.pick ? element("button", pressed, tag) : element("div", { class: "box" }, tag);
    this.#nodes.set(key, node);
    this.layer.append(node);
    return node;
  }
}

/** Answers with bars, one a face. */
export class Answers {
  #nodes = new Map();

  constructor(place, nobody = "No face found.") {
    this.place = place;
    this.nobody = element("p", { class: "nobody" }, nobody);
  }

  update(faces) {
    keep(this.#nodes, faces);
    if (faces.length) this.nobody.remove();
    else this.place.append(this.nobody);
    for (const [index, face] of faces.entries()) {
      const node = this.#nodes.get(face.key) ?? this.#make(face);
      const number = faces.length > 1 || face.track ? `Face ${face.track ?? index + 1}` : "";
      fill(node, face, number);
    }
  }

  #make(face) {
    const node = answer(face);
    this.#nodes.set(face.key, node);
    this.place.append(node);
    return node;
  }
}

/** Make one answer: name, share, notes and bars. */
export function answer(face) {
  const node = element("div", { class: "face" });
  const list = element("ul", { class: "bars" });
  for (const name of Object.keys(face.probabilities)) {
    const bar = element("i");
    paint(bar, name);
    const rail = element("span", { class: "rail", "aria-hidden": "true" }, bar);
    list.append(element("li", {}, element("span", {}, name), rail, element("b")));
  }
  const top = ["number", "name", "share"].map((part) => element("span", { class: part }));
  node.append(element("p", { class: "top" }, ...top), element("p", { class: "notes" }), list);
  fill(node, face, "");
  return node;
}

function fill(node, face, number) {
  const [top, notes, list] = node.children;
  const { expression, share, probabilities, certain } = reading(face);
  const parts = [number, expression, percent(share)];
  for (const [index, text] of parts.entries()) set(top.children[index], text);
  top.children[0].hidden = !number;
  const wanted = face.hidden?.map((region) => `${region} hidden`) ?? [UNKNOWN];
  if (!certain) wanted.unshift("not certain");
  if ([...notes.children].map((note) => note.textContent).join() !== wanted.join()) {
    notes.replaceChildren(...wanted.map((text) => {
      const kind = text === "not certain" ? "note doubt" : "note";
      return element("span", { class: kind }, text);
    }));
  }
  notes.hidden = !wanted.length;
  for (const [index, [name, value]] of Object.entries(probabilities).entries()) {
    const row = list.children[index];
    row.classList.toggle("lead", name === expression);
    row.querySelector("i").style.setProperty("--share", value.toFixed(4));
    set(row.lastChild, percent(value));
  }
}

const overlapping = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Take away what belongs to no face any more. */
function keep(nodes, faces) {
  const keys = new Set(faces.map((face) => face.key));
  for (const [key, node] of nodes) {
    if (keys.has(key)) continue;
    node.remove();
    nodes.delete(key);
  }
}
