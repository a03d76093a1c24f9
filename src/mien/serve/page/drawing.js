// An annotated copy of a picture, drawn as `mien predict --draw` does.

import { percent, tone } from "./dom.js";
import { reading, words } from "./faces.js";

const LEAST = 480; // pixels of the shorter side; smaller pictures are enlarged for the writing
const FONT = "system-ui, sans-serif";
const PLATE = "rgb(20 24 32 / 0.9)";

/** Draw a picture of this size with its faces; a promise of a PNG. */
export function annotated(picture, faces, { width, height, mirror = false }) {
  const zoom = Math.max(1, Math.ceil(LEAST / Math.min(width, height)));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: width * zoom, height: height * zoom });
  const pen = canvas.getContext("2d");
  pen.save();
  if (mirror) pen.transform(-1, 0, 0, 1, canvas.width, 0);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  pen.restore();
  const unit = Math.sqrt(canvas.width * canvas.height) / 640;
  const boxes = faces.map(({ box_xyxy: [x0, y0, x1, y1] }) => {
    const [left, right] = mirror ? [width - x1, width - x0] : [x0, x1];
    return [left * zoom, y0 * zoom, right * zoom, y1 * zoom];
  });
  for (const [index, face] of faces.entries()) outline(pen, boxes[index], face, unit);
  for (const [index, face] of faces.entries()) {
    const [x0, , x1] = boxes[index];
    const size = Math.min(Math.max((x1 - x0) / 7, 12, 11 * unit), Math.max(15, 26 * unit));
    bars(pen, boxes, index, face, size * 0.8);
    label(pen, boxes[index], face, size);
  }
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}

function outline(pen, [x0, y0, x1, y1], face, unit) {
  pen.lineWidth = Math.max(2, 2.5 * unit);
  const { expression, certain } = reading(face);
  pen.strokeStyle = tone(expression);
  pen.setLineDash(certain ? [] : [8 * unit, 5 * unit]);
  pen.beginPath();
  pen.roundRect(x0, y0, x1 - x0, y1 - y0, 4 * unit);
  pen.stroke();
}

function label(pen, [x0, y0], face, size) {
  pen.font = `600 ${size}px ${FONT}`;
  const text = words(face);
  const width = pen.measureText(text).width + size;
  const height = size * 1.6;
  const x = Math.max(0, Math.min(x0, pen.canvas.width - width));
  const y = y0 >= height ? y0 - height : Math.max(0, y0);
  plate(pen, [x, y, width, height], size / 4, PLATE);
  plate(pen, [x, y, size * 0.3, height], 0, tone(reading(face).expression));
  write(pen, text, x + size * 0.6, y + height / 2, "left", "#fff");
}

/** Draw all probabilities beside the box, where that hides no other face. */
function bars(pen, boxes, index, face, size) {
  const { probabilities, expression } = reading(face);
  const names = Object.entries(probabilities);
  pen.font = `${size}px ${FONT}`;
  const [column, figures] = [Object.keys(probabilities), [">99%"]].map((texts) =>
    Math.max(...texts.map((text) => pen.measureText(text).width)) + size * 0.6);
  const [rails, pad] = [size * 5.4, size * 0.4];
  const [width, height] = [column + rails + figures + 2 * pad, size * (1.75 * names.length + 0.8)];
  const [x0, y0, x1, y1] = boxes[index];
  const x = Math.max(0, Math.min(x0, pen.canvas.width - width));
  const y = Math.max(0, Math.min(y0, pen.canvas.height - height));
  const spots = [[x1 + pad, y], [x0 - pad - width, y], [x, y1 + pad]];
  const others = boxes.filter((_, other) => other !== index);
  const free = spots.find(([left, top]) => {
    const inside = left >= 0 && left + width <= pen.canvas.width && top + height <= pen.canvas.height;
    const met = ([a, b, c, d]) => left < c && a < left + width && top < d && b < top + height;
    return inside && !others.some(met);
  });
  if (!free) return;
  plate(pen, [...free, width, height], pad, "rgb(250 250 248 / 0.86)");
  const [left, top] = [free[0] + pad, free[1] + pad];
  for (const [row, [name, share]] of names.entries()) {
    const middle = top + size * 1.75 * (row + 0.5);
    const ink = name === expression ? "#181c24" : "#5c6472";
    const rail = [left + column, middle - size * 0.36, rails, size * 0.72];
    write(pen, name, left, middle, "left", ink);
    plate(pen, rail, 0, "#e2e4e8");
    plate(pen, [rail[0], rail[1], rail[2] * share, rail[3]], 0, tone(name));
    write(pen, percent(share), left + width - 2 * pad, middle, "right", ink);
  }
}

function plate(pen, [x, y, width, height], radius, fill) {
  pen.fillStyle = fill;
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
  pen.fill();
}

function write(pen, text, x, y, align, fill) {
  Object.assign(pen, { textAlign: align, textBaseline: "middle", fillStyle: fill });
  pen.fillText(text, x, y);
}
