// The answers for one face side by side: as it is, and with parts of it hidden.

import { occlude } from "./api.js";
import { chips, complain, element, say } from "./dom.js";
import { answer, reading, scaled, words } from "./faces.js";

/** What can be laid over a face, by the names of the occluders. */
export const CHOICES = {
  mouth: "Mouth", eyes: "Eyes", surgical: "Mask", sunglasses: "Sunglasses",
  scarf: "Scarf", hand: "Hand", headset: "Headset",
};
const TITLES = {
  mouth: "Mouth hidden", eyes: "Eyes hidden", surgical: "With a mask", sunglasses: "With sunglasses",
  scarf: "With a scarf", hand: "With a hand", headset: "With a headset",
};
const SIDE = 420; // pixels of a picture among several
const AROUND = 2.2; // heights of the face that it shows

/** Offer switches in a card; `picture` has blob, name, image, faces, width, height. */
export class Compare {
  #known = new Map();
  #on = [];

  constructor(card, picture) {
    this.card = card;
    this.picture = picture;
    this.list = card.querySelector(".sides");
    chips(card.querySelector(".chips"), CHOICES, (names) => this.#switch(names));
    this.pick(picture.faces[0].key);
  }

  pick(key) {
    this.picked = key;
    const which = this.picture.faces.length > 1 ? ` face ${key + 1}` : "";
    this.card.querySelector("legend").textContent = `Hide and compare${which}`;
    this.#show();
  }

  async #switch(names) {
    this.#on = names;
    this.#show();
    const wanted = names.filter((name) => !this.#known.has(name));
    if (!wanted.length) return;
    for (const name of wanted) this.#known.set(name, null);
    try {
      const { blob, name } = this.picture;
      const results = await occlude(blob, name, wanted);
      for (const result of results) this.#known.set(result.occluder, await loaded(result, this.picture));
      complain(this.card.querySelector(".error"), null);
    } catch (error) {
      for (const name of wanted) this.#known.delete(name);
      complain(this.card.querySelector(".error"), error, () => this.#switch(this.#on));
    }
    this.#show();
    const told = this.#on.map((name) => this.#told(name)).filter(Boolean);
    if (told.length) say(told.join(". "));
  }

  #told(name) {
    const result = this.#known.get(name);
    const face = result && match(result.faces, this.#face());
    return result && `${TITLES[name]}: ${face ? words(face) : "no face found"}`;
  }

  #face() {
    return this.picture.faces.find((face) => face.key === this.picked);
  }

  #show() {
    this.list.hidden = !this.#on.length;
    if (this.list.hidden) return this.list.replaceChildren();
    const face = this.#face();
    const bare = side("As it is", this.picture.image, this.picture, face, null);
    const sides = this.#on.map((name) => {
      const result = this.#known.get(name);
      const there = result && match(result.faces, face);
      return side(TITLES[name], result?.image, this.picture, face, { result, there });
    });
    this.list.replaceChildren(bare, ...sides);
  }
}

/** Decode what was drawn; give the boxes in pixels of the picture, which may be larger. */
async function loaded(result, { width }) {
  const image = new Image();
  image.src = result.image;
  await image.decode();
  const scale = width / image.naturalWidth;
  return { image, faces: result.faces.map((face) => scaled(face, scale)) };
}

function side(title, image, { width, height }, face, hidden) {
  const item = element("li", {}, element("h4", {}, title));
  const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": title });
  item.prepend(canvas);
  const waiting = hidden && !hidden.result;
  if (waiting) {
    item.append(element("div", { class: "wait" }));
    return item;
  }
  part(canvas, image, { width, height }, face.box_xyxy);
  const found = hidden ? hidden.there : face;
  if (!found) {
    item.append(element("p", { class: "nobody" }, "No face found."));
    return item;
  }
  const shown = answer(found);
  if (hidden && reading(found).expression !== reading(face).expression) {
    const notes = shown.querySelector(".notes");
    notes.prepend(element("span", { class: "note differs" }, "another answer"));
    notes.hidden = false;
  }
  item.append(shown);
  return item;
}

/** Draw the surroundings of a box; the image may be larger or smaller than the picture. */
function part(canvas, image, { width, height }, [x0, y0, x1, y1]) {
  const scale = image.naturalWidth / width;
  const size = Math.min(width, height, (y1 - y0) * AROUND);
  const left = Math.min(Math.max(0, (x0 + x1 - size) / 2), width - size);
  const top = Math.min(Math.max(0, (y0 + y1 - size) / 2), height - size);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, ...[left, top, size, size].map((n) => n * scale), 0, 0, SIDE, SIDE);
}

/** Find the face that lies where another did. */
function match(faces, { box_xyxy: box }) {
  const share = (face) => overlap(face.box_xyxy, box);
  const [best] = [...faces].sort((a, b) => share(b) - share(a));
  return best && share(best) > 0.2 ? best : null;
}

function overlap(a, b) {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  return (width * height) / (area(a) + area(b) - width * height);
}
