// The places of a chart, each with its figure, are made when a chart is pointed at: those of forty charts, made and
// checked with each filter, were a third of the elements of the first page.
if (!window.stockflowPlaces) {
  window.stockflowPlaces = true;
  document.addEventListener("pointerover", (event) => {
    const chart = event.target.closest?.("[data-told]");
    if (!chart || chart.firstChild) return;
    for (const told of chart.dataset.told.split("\t")) {
      const place = document.createElement("i");
      place.title = told;
      place.style.flex = told.split("\n").length;
      chart.append(place);
    }
  });
}
