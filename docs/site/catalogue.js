// The theme's search is a dialog without a name, which a screen reader would not announce.
document.querySelectorAll(".md-search[role=dialog]").forEach((found) => found.setAttribute("aria-label", "Search"));
