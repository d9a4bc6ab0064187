"""The page under a path of a proxy; `open_page` checks that it fetches from nowhere else."""

import driver as d


def test_the_page_works_under_a_path(open_page, sounds):
    page = open_page(app="proxied_app_url")
    assert page.url.endswith("/some/where/")
    d.upload(page, sounds["stereo"])
    d.draw_box(page, 1, 2, 300, 3000)
    assert "filled, took" in d.fill(page)
    assert d.state(page, "player.urls.filled").startswith(page.url)
    assert d.export(page, "flac").suggested_filename == "stereo-filled-A.flac"
    d.upload(page, sounds["long"])
    page.wait_for_selector(f"{d.VIEW} [data-name=excerpt]")
