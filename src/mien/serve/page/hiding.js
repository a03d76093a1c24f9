// Shows over a live picture what the server hides before it reads the face.

/** What can be hidden while a camera runs. */
export const HIDES = { mouth: "Mouth", eyes: "Eyes", surgical: "Mask", sunglasses: "Sunglasses" };

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

// Points of the 68 that a shape goes round, how far it exceeds them in widths of the face, its tone.
const SHAPES = {
  mouth: { points: range(48, 67), beyond: 0.06, tone: "rgb(0 0 0 / 0.92)" },
  eyes: { points: range(36, 47), beyond: 0.06, tone: "rgb(0 0 0 / 0.92)" },
  sunglasses: { points: range(36, 47), beyond: 0.1, tone: "rgb(15 17 22 / 0.94)", round: true },
  surgical: { points: [...range(2, 14), 28], tone: "rgb(141 197 231 / 0.94)" },
};

/** Draw it from the faces' points; without points nothing is drawn. */
export function drawHidden(canvas, faces, occluders, { width, height }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  for (const { points_xy: points, box_xyxy: [x0, , x1] } of faces) {
    for (const name of points ? occluders : []) {
      const shape = SHAPES[name];
      const corners = shape.points.map((index) => points[index]);
      pen.fillStyle = shape.tone;
      pen.beginPath();
      if (shape.beyond) surround(pen, corners, shape.beyond * (x1 - x0), points, shape.round);
      else for (const [x, y] of corners) pen.lineTo(x, y);
      pen.fill();
    }
  }
}

/** Trace a box about corners, turned as the eyes are. */
function surround(pen, corners, beyond, points, round) {
  const angle = Math.atan2(points[45][1] - points[36][1], points[45][0] - points[36][0]);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const turned = corners.map(([x, y]) => [x * cos + y * sin, y * cos - x * sin]);
  const [us, vs] = [turned.map(([u]) => u), turned.map(([, v]) => v)];
  const [left, top] = [Math.min(...us) - beyond, Math.min(...vs) - beyond];
  const [right, bottom] = [Math.max(...us) + beyond, Math.max(...vs) + beyond];
  pen.save();
  pen.rotate(angle);
  pen.roundRect(left, top, right - left, bottom - top, round ? (bottom - top) / 2.4 : 0);
  pen.restore();
}
