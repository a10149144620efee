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
  // One box at a time is reached by Tab; arrows go to the next one in their direction.
  canvas.addEventListener('focusin', event => {
    const box = event.target.closest('[data-node]');
    if (!box) return;
    current.setAttribute('tabindex', '-1');
    box.setAttribute('tabindex', '0');
    current = box;
  });
  const middle = box => {
    const place = box.getBoundingClientRect();
    return { x: place.left + place.width / 2, y: place.top + place.height / 2 };
  };
  let current = boxes.reduce((a, b) => middle(b).y < middle(a).y ? b : a, boxes[0]);
  for (const box of boxes) box.setAttribute('tabindex', box === current ? '0' : '-1');
  function neighbour(box, x, y) {
    const from = middle(box);
    let best = null, least = Infinity;
    for (const other of boxes) {
      const to = middle(other), along = (to.x - from.x) * x + (to.y - from.y) * y;
      const aside = Math.abs((to.x - from.x) * y) + Math.abs((to.y - from.y) * x);
      if (along > 1 && along + 2 * aside < least) { best = other; least = along + 2 * aside; }
    }
    return best;
  }
  const arrows = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  canvas.addEventListener('keydown', event => {
    const box = event.target.closest('[data-node]');
    const arrow = box && arrows[event.key], next = arrow && neighbour(box, arrow[0], arrow[1]);
    if (arrow) { event.preventDefault(); if (next) next.focus(); }
    else if (box && (event.key === 'Enter' || event.key === ' ')) { event.preventDefault(); choose(box); }
    else if (event.key === 'Escape') choose(null);
    else if (event.key === '+' || event.key === '=') zoom(scale * 1.3);
    else if (event.key === '-') zoom(scale / 1.3);
    else if (event.key === '0') fit();
  });
  function show(box, focus) {
    canvas.scrollIntoView({ block: 'nearest' });
    const place = box.getBoundingClientRect(), frame = canvas.getBoundingClientRect();
    canvas.scrollLeft += place.left + place.width / 2 - frame.left - frame.width / 2;
    canvas.scrollTop += place.top + place.height / 2 - frame.top - frame.height / 2;
    if (focus) box.focus({ preventScroll: true });
    choose(box);
  }
  report.addEventListener('click', event => {
    const link = event.target.closest('[data-show]');
    const box = link && byId.get(link.dataset.show);
    if (box) show(box, true);
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
    show(hits[next % hits.length], false);
    next += 1;
  });
  // A picture that is wider than its place is made to fit; a long one is scrolled.
  zoom(Math.min(1, Math.max(0.4, canvas.clientWidth / whole.width)));
  canvas.scrollTop = 0;
  canvas.scrollLeft = (whole.width * scale - canvas.clientWidth) / 2;
}
