"use strict";
// Copy buttons: the text can also be selected by hand.
for (const block of document.querySelectorAll("details.copies pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(block);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try {
      await navigator.clipboard.writeText(block.textContent);
    } catch {
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.before(button);
}
// Sort a table by a column: the page is complete without it. Buttons make it work by keyboard.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("tr.names th")];
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;

  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/,/g, "").replace("−", "-"));
    return Number.isNaN(number) ? text : number;
  };
  // numbers before words, dashes last
  const rank = (item) => (typeof item === "number" ? 0 : item === "–" ? 2 : 1);
  const compare = (a, b) =>
    rank(a) - rank(b) || (typeof a === "number" ? a - b : String(a).localeCompare(String(b)));

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
      body.append(...(down ? rows.reverse() : rows));
      for (const cell of body.querySelectorAll(".again")) cell.classList.remove("again");
    });
  });
}
