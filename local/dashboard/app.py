"""Entry point: ``python -m streamlit run local/dashboard/app.py`` with the stack's environment."""

import streamlit as st

from cli.texts import said
from local.dashboard import changed_page, filters, kpi_page, overview, page, quality_page


def main() -> None:
    """Draw the page that the address names."""
    page.set_up()
    pages = (
        st.Page(overview.draw, title=said("Overview"), icon=":material/dashboard:", default=True),
        st.Page(kpi_page.draw, title=said("KPI"), icon=":material/monitoring:", url_path="kpi"),
        st.Page(changed_page.draw, title=said("What changed"), icon=":material/compare_arrows:", url_path="changed"),
        st.Page(quality_page.draw, title=said("Data quality"), icon=":material/fact_check:", url_path="quality"),
    )
    chosen = st.navigation(pages, position="hidden")
    page.PAGES.set(pages)
    filters.remember(chosen.url_path)
    chosen.run()


if __name__ == "__main__" or st.runtime.exists():
    main()
