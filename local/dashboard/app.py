"""Entry point: ``python -m streamlit run local/dashboard/app.py`` with the stack's environment."""

from datetime import UTC, datetime

import streamlit as st

from local.dashboard import kpi_sections, page, pipeline_section, source


def main() -> None:
    """Draw the page from top to bottom."""
    page.set_up()
    try:
        content, health = source.content(), source.health()
    except source.UnavailableError as problem:
        page.unavailable(problem)
        return
    now = datetime.now(UTC)
    page.head(content, health, now)
    page.faults(content)
    if content.bounds is None:
        page.empty(content)
    else:
        chosen = kpi_sections.filters(content)
        kpi_sections.tiles(content, chosen.selection)
        kpi_sections.cards(content, chosen)
    pipeline_section.show(health, now)


if __name__ == "__main__" or st.runtime.exists():
    main()
