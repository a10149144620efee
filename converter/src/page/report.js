// Makes a report's picture move: zoom, pan, search, details. The report can be read without it.
function cntk2onnxReport(root) {
  'use strict';
  const report = root.querySelector('main.report');
  const canvas = report && report.querySelector('#picture');
  const svg = canvas && canvas.querySelector('svg');
  if (!svg) return;
  const whole = svg.viewBox.baseVal, tool = name => report.querySelector('[data-tool=' + name + ']');
  let scale = 1;
  function zoom(to, x, y) {
    // The point under the pointer, or in the middle, stays where it is.
    const atX = x === undefined ? canvas.clientWidth / 2 : x, atY = y === undefined ? canvas.clientHeight / 2 : y;
    const left = (canvas.scrollLeft + atX) / scale, top = (canvas.scrollTop + atY) / scale;
    scale = Math.min(4, Math.max(0.02, to));
    svg.setAttribute('width', whole.width * scale);
    svg.setAttribute('height', whole.height * scale);
    canvas.scrollLeft = left * scale - atX;
    canvas.scrollTop = top * scale - atY;
  }
  const fit = () => zoom(Math.min(1, canvas.clientWidth / whole.width, canvas.clientHeight / whole.height));
  tool('in').addEventListener('click', () => zoom(scale * 1.3));
  tool('out').addEventListener('click', () => zoom(scale / 1.3));
  tool('fit').addEventListener('click', fit);
  tool('full').addEventListener('click', () => zoom(1));
  canvas.addEventListener('wheel', event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = canvas.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - place.left, event.clientY - place.top);
  }, { passive: false });

  // Pan with the pointer; a press that hardly moves is a click.
  let from = null;
  canvas.addEventListener('pointerdown', event => {
    if (event.button === 0 && event.pointerType === 'mouse') {
      from = { x: event.clientX, y: event.clientY, left: canvas.scrollLeft, top: canvas.scrollTop, moved: false };
    }
  });
  canvas.addEventListener('pointermove', event => {
    if (!from) return;
    const x = event.clientX - from.x, y = event.clientY - from.y;
    if (Math.abs(x) + Math.abs(y) > 5) from.moved = true;
    if (from.moved) { canvas.scrollLeft = from.left - x; canvas.scrollTop = from.top - y; }
  });
  const release = () => { const moved = from && from.moved; from = null; return moved; };
  canvas.addEventListener('pointerleave', release);

  const none = report.querySelector('[data-none]'), boxes = Array.from(canvas.querySelectorAll('[data-node]'));
  const details = new Map(), byId = new Map(boxes.map(box => [box.dataset.node, box]));
  for (const one of report.querySelectorAll('[data-details]')) details.set(one.dataset.details, one);
  let chosen = null;
  function choose(box) {
    if (chosen) { chosen.classList.remove('chosen'); details.get(chosen.dataset.node).hidden = true; }
    chosen = box;
    none.hidden = !!box;
    if (box) { box.classList.add('chosen'); details.get(box.dataset.node).hidden = false; }
  }
  canvas.addEventListener('click', event => {
    if (release()) return;
    const box = event.target.closest('[data-node]');
    choose(box);
  });
  canvas.addEventListener('keydown', event => {
    const box = event.target.closest('[data-node]');
    if (box && (event.key === 'Enter' || event.key === ' ')) { event.preventDefault(); choose(box); }
    else if (event.key === 'Escape') choose(null);
    else if (event.key === '+' || event.key === '=') zoom(scale * 1.3);
    else if (event.key === '-') zoom(scale / 1.3);
    else if (event.key === '0') fit();
  });
  function show(box) {
    canvas.scrollIntoView({ block: 'nearest' });
    const place = box.getBoundingClientRect(), frame = canvas.getBoundingClientRect();
    canvas.scrollLeft += place.left + place.width / 2 - frame.left - frame.width / 2;
    canvas.scrollTop += place.top + place.height / 2 - frame.top - frame.height / 2;
    box.focus({ preventScroll: true });
    choose(box);
  }
  report.addEventListener('click', event => {
    const link = event.target.closest('[data-show]');
    const box = link && byId.get(link.dataset.show);
    if (box) show(box);
  });

  const find = tool('find'), found = tool('found');
  let hits = [], next = 0;
  function search() {
    const wanted = find.value.trim().toLowerCase();
    const text = box => box.getAttribute('aria-label') + ' ' + details.get(box.dataset.node).textContent;
    hits = wanted ? boxes.filter(box => text(box).toLowerCase().includes(wanted)) : [];
    next = 0;
    canvas.classList.toggle('searched', !!wanted);
    for (const box of boxes) box.classList.toggle('hit', hits.includes(box));
    found.textContent = wanted ? hits.length + (hits.length === 1 ? ' box' : ' boxes') + ', Enter for the next' : '';
  }
  find.addEventListener('input', search);
  find.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !hits.length) return;
    event.preventDefault();
    show(hits[next % hits.length]);
    next += 1;
    find.focus();
  });
  // A picture that is wider than its place is made to fit; a long one is scrolled.
  zoom(Math.min(1, Math.max(0.4, canvas.clientWidth / whole.width)));
  canvas.scrollTop = 0;
  canvas.scrollLeft = (whole.width * scale - canvas.clientWidth) / 2;
}
