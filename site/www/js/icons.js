// The site's icons: strokes of 24 × 24, drawn as elements, so that no markup is ever made from a string.

const PATHS = {
  photos: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.2v.01",
  albums: "M4 8h16v12H4zM6.5 4.5h11M4 17l4.5-4 3.5 3 3-2.5 5 4",
  star: "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z",
  trash: "M4 7h16M9.5 7V4.5h5V7M6 7l1 13h10l1-13M10 11v5.5M14 11v5.5",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.3 15.3 20 20",
  upload: "M12 16V4.5M7 9.5l5-5 5 5M4.5 16v3.5h15V16",
  download: "M12 4.5V16M7 11l5 5 5-5M4.5 16v3.5h15V16",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l4.7 4.7L19 7.5",
  plus: "M12 5v14M5 12h14",
  back: "M19 12H5.5M11 6l-6 6 6 6",
  left: "M14.5 6l-6 6 6 6",
  right: "M9.5 6l6 6-6 6",
  up: "M6 14.5l6-6 6 6",
  down: "M6 9.5l6 6 6-6",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  info: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11v5.5M12 7.7v.01",
  edit: "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5",
  tag: "M4 4.5h8l8 8-7.5 7.5-8.5-8zM8.2 8.7v.01",
  album: "M4 6h6l2 2.5h8V19H4zM12 11v5.5M9.2 13.7h5.6",
  takeOut: "M4 6h6l2 2.5h8V19H4zM9.2 13.7h5.6",
  restore: "M5 9.5h9a5 5 0 0 1 0 10H9M9 5.5l-4 4 4 4",
  help: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.5 9.7a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.7v.01",
  zoom: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.3 15.3 20 20M10.5 8v5M8 10.5h5",
  calendar: "M4.5 6h15v13.5h-15zM4.5 10.5h15M8.5 3.5V7M15.5 3.5V7",
  camera: "M4 7.5h4l1.5-2.5h5l1.5 2.5h4v11.5H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  place: "M12 20.5s-6.5-5.8-6.5-10.5a6.5 6.5 0 0 1 13 0c0 4.7-6.5 10.5-6.5 10.5zM12 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  file: "M6 3.5h8l4 4v13H6zM14 3.5v4h4",
  pause: "M8.5 6v12M15.5 6v12",
  play: "M8 5.5v13l10.5-6.5z",
  retry: "M19 12a7 7 0 1 1-2.3-5.2M19 4.5v4h-4",
  warning: "M12 4 3 19.5h18zM12 10v4.5M12 17v.01",
  offline: "M4 4l16 16M3 9.5a13 13 0 0 1 4-2.5M11 6a13 13 0 0 1 10 3.5M6.5 13a8 8 0 0 1 3.3-2M15 11.3a8 8 0 0 1 2.5 1.7M10 16.5a3.5 3.5 0 0 1 4 0M12 19.5v.01",
  logout: "M10 4.5H5v15h5M15 8l4 4-4 4M19 12H9.5",
  cover: "M4 5h16v14H4zM12 8.5l1.1 2.3 2.4.3-1.8 1.7.5 2.4-2.2-1.2-2.2 1.2.5-2.4-1.8-1.7 2.4-.3z",
  folder: "M4 6h6l2 2.5h8V19H4z",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * An icon that says nothing to a screen reader: whatever holds it needs a text or a label.
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
