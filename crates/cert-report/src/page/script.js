// SPDX-License-Identifier: Apache-2.0
// Sorts and filters the lines that are there. Writes text only, never markup.
"use strict";
(() => {
  const body = document.querySelector("tbody"), form = document.querySelector(".controls");
  const rows = Array.from(body.rows, (tr, place) => ({ tr, place }));
  const words = { fail: 0, warn: 1, ok: 2 };
  // What a line is found by is read when it is needed first: opening the page must not wait for it.
  const read = (row) => {
    if (row.text !== undefined) return row;
    const cells = row.tr.cells, own = (n) => cells[n].firstChild ? cells[n].firstChild.textContent.trim() : "";
    row.level = own(0);
    row.end = row.tr.dataset.end === "" ? -Infinity : Number(row.tr.dataset.end);
    row.service = own(2); row.host = own(3); row.issuer = own(5);
    row.text = row.tr.textContent.toLowerCase();
    row.shared = row.tr.querySelector(".mark.shared") !== null;
    row.unserved = row.tr.querySelector(".mark.unserved") !== null;
    return row;
  };

  const text = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const value = (row, column) => {
    if (column === 0) return words[row.level];
    if (column === 1) return row.end;
    return row.tr.cells[column].textContent.trim();
  };
  const compare = (a, b) => typeof a === "number" ? (a === b ? 0 : a < b ? -1 : 1) : (a === "") - (b === "") || text.compare(a, b);
  const sort = (column, down) => {
    const keyed = rows.map((row) => ({ row, key: value(read(row), column) }));
    keyed.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key) || a.row.place - b.row.place);
    const all = document.createDocumentFragment();
    for (const { row } of keyed) all.append(row.tr);
    body.append(all);
  };
  const heads = Array.from(document.querySelectorAll("thead th"));
  heads.forEach((th, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(column, down);
    });
    th.replaceChildren(button);
  });

  const said = form.querySelector("output");
  const filter = () => {
    const wished = new FormData(form), levels = wished.getAll("level");
    const parts = wished.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      read(row);
      const keep = levels.includes(row.level) && parts.every((part) => row.text.includes(part))
        && ["service", "host", "issuer"].every((name) => !wished.get(name) || wished.get(name) === row[name])
        && (!wished.get("mark") || row[wished.get("mark")]);
      if (row.tr.hidden === keep) row.tr.hidden = !keep;
      shown += keep;
    }
    said.textContent = shown === rows.length ? `${shown} shown` : `${shown} of ${rows.length} shown`;
  };
  const fill = () => {
    for (const name of ["service", "host", "issuer"]) {
      const select = form.elements[name];
      const all = Array.from(new Set(rows.map((row) => read(row)[name]))).filter(Boolean).sort(text.compare);
      select.append(...all.map((one) => new Option(one, one)));
    }
  };
  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, event.target.type === "search" ? 120 : 0);
  });
  form.addEventListener("reset", () => setTimeout(filter, 0));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  said.textContent = `${rows.length} shown`;
  (window.requestIdleCallback || setTimeout)(fill);

  // A line that a link leads to is shown, whatever is filtered.
  const reveal = () => {
    const target = location.hash.startsWith("#r") && document.getElementById(location.hash.slice(1));
    if (target && target.hidden) { target.hidden = false; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);

  // A page on a disk gets old.
  const now = document.querySelector("[data-now]"), days = Math.floor(Date.now() / 86400000 - now.dataset.now / 86400);
  if (days >= 2) {
    const aged = document.querySelector(".aged");
    aged.textContent = `This page is ${days} days old. Days are counted from when it was written.`;
    aged.hidden = false;
  }
})();
