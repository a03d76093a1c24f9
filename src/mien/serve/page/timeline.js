// Probabilities over time: a lane a face, the expressions as bands of their colours.

import { element, paint, plural, tone } from "./dom.js";
import { reading } from "./faces.js";
import { clock } from "./player.js";

const WIDTH = 1200;
const HEIGHT = 54;
const LANES = 12;
const GAP = 1; // seconds without a face that leave a hole, more where answers come slowly

/** A strip of `seconds`: it moves on for a camera, and holds all of a film. */
export class Timeline {
  #lanes = new Map(); // by face, the one seen last at the end
  #without = new Set(); // faces that have no lane
  #names = "";
  #usual = 0; // seconds from an answer to the next
  #time = null;

  constructor(place, seconds, { moving }) {
    this.place = place;
    this.moving = moving;
    this.seconds = seconds;
    this.scale = element("p", { class: "scale", "aria-hidden": "true" });
    const ends = moving ? [`${seconds} s ago`, "now"] : [clock(0), clock(seconds)];
    this.scale.append(...ends.map((end) => element("span", {}, end)));
    this.legend = element("p", { class: "key" });
    this.more = element("p", { class: "more" });
    place.replaceChildren(this.scale, this.legend, this.more);
  }

  /** Draw the answers at this time. */
  add(faces, time) {
    const step = this.#time === null ? 0 : Math.max(0, time - this.#time);
    this.#usual = this.#usual ? 0.8 * this.#usual + 0.2 * step : step;
    this.#time = time;
    if (this.moving) {
      for (const lane of this.#lanes.values()) this.#move(lane, step);
      this.#without.clear();
    }
    const here = new Set(faces.map(({ key }) => key));
    for (const face of faces) {
      const lane = this.#lanes.get(face.key) ?? this.#make(face, here);
      if (lane) this.#draw(lane, face, time);
    }
    for (const [key, lane] of this.#lanes) {
      if (this.moving && time - lane.time > this.seconds) this.#drop(key);
    }
    const count = this.#without.size;
    this.more.textContent = count ? `${plural(count, "more face")} without a lane` : "";
    if (faces.length) this.#explain(Object.keys(faces[0].probabilities));
  }

  /** Make a lane, in the place of the face seen longest ago where there is no room; null if all are here. */
  #make(face, here) {
    if (this.#lanes.size >= LANES) {
      const gone = [...this.#lanes.keys()].find((key) => !here.has(key));
      if (gone === undefined || !this.moving) this.#without.add(gone ?? face.key);
      if (gone === undefined) return null;
      this.#drop(gone);
    }
    this.#without.delete(face.key);
    const name = `Face ${face.track ?? face.key}`;
    const label = `${name}: the probability of each expression over time`;
    const canvas = element("canvas", { width: WIDTH, height: HEIGHT, role: "img", "aria-label": label });
    const node = element("div", { class: "lane" }, element("span", {}, name), canvas);
    this.scale.before(node);
    return { node, canvas, pen: canvas.getContext("2d"), time: null, moved: 0 };
  }

  #draw(lane, face, time) {
    this.#lanes.delete(face.key);
    this.#lanes.set(face.key, lane);
    const step = lane.time === null ? 0 : time - lane.time;
    const whole = step > 0 && step <= Math.max(GAP, 2.5 * this.#usual);
    const end = this.moving ? WIDTH : Math.ceil((time / this.seconds) * WIDTH);
    const width = whole ? Math.max(1, Math.ceil((step / this.seconds) * WIDTH)) : 2;
    lane.time = time;
    let y = 0;
    for (const [name, share] of Object.entries(reading(face).probabilities)) {
      lane.pen.fillStyle = tone(name);
      lane.pen.fillRect(end - width, y, width, share * HEIGHT + 0.5);
      y += share * HEIGHT;
    }
  }

  /** Push what is drawn to the left by whole pixels; the rest is owed. */
  #move(lane, step) {
    const owed = lane.moved + (step / this.seconds) * WIDTH;
    const by = Math.min(WIDTH, Math.floor(owed));
    lane.moved = owed - by;
    if (!by) return;
    lane.pen.globalCompositeOperation = "copy";
    lane.pen.drawImage(lane.canvas, -by, 0);
    lane.pen.globalCompositeOperation = "source-over";
  }

  #drop(key) {
    this.#lanes.get(key).node.remove();
    this.#lanes.delete(key);
  }

  #explain(names) {
    if (names.join() === this.#names) return;
    this.#names = names.join();
    this.legend.replaceChildren(...names.map((name) => {
      const entry = element("span", {}, name);
      paint(entry, name);
      return entry;
    }));
  }
}
