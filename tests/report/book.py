"""Opens the book in headless Chromium, on a desk and on a phone, in light and in dark, and uses it: every page, its pictures,
search, contents, the switch between light and dark, and the slides.

No page may be wider than its screen, complain, or ask for anything that is not of the book. Leaves screenshots to look at.
`make browser` runs this after `make book`.
"""

import argparse
from pathlib import Path

from browser import SCREENS, check_width, chromium, expect

SHOTS = ["index", "core", "lesson-02_fit_a_line", "lesson-12_reverse", "lesson-14_experts", "models-life_of_a_token",
         "examples-mathematics-attention", "examples-course", "source/nn-masks.h"]


def check_pages(browser, book, screen, scheme, shots):
    context = browser.new_context(color_scheme=scheme, **SCREENS[screen])
    page = context.new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith(book.as_uri()) else None)
    paths = sorted(book.glob("*.html"))
    for path in [*paths, book / "source" / "nn-masks.h.html"]:
        page.goto(path.as_uri())
        check_width(page, f"{path.name} on a {screen}")
        name = str(path.relative_to(book)).removesuffix(".html")
        if name in SHOTS:
            page.screenshot(path=shots / f"{name.replace('/', '-')}-{screen}-{scheme}.png")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 200
    expect(dark == (scheme == "dark"), f"the ground is {ground} in a {scheme} scheme")
    expect(not problems, f"on a {screen}: {problems[:5]}")
    context.close()
    return len(paths)


def check_use(browser, book, shots):
    page = browser.new_page(**SCREENS["desk"])
    page.goto((book / "source" / "nn-masks.h.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("leading dimension")
    page.wait_for_selector("#found a")
    page.screenshot(path=shots / "search.png")
    expect(page.locator("#found mark").count() > 1, "the search marks no words")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    expect("eading dimension" in page.locator("main").inner_text(), f"the search leads to {page.url}, which does not say it")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    expect(page.evaluate("getComputedStyle(document.body).backgroundColor") != before, "the switch changes no colour")
    page.goto((book / "index.html").as_uri())
    expect(page.evaluate("getComputedStyle(document.body).backgroundColor") != before, "the next page has forgotten the switch")
    for turn in range(22):
        if turn == 0:
            page.goto((book / "examples-course-slides.html").as_uri())
        page.keyboard.press("ArrowRight")
    top = page.evaluate("[...document.querySelectorAll('section')].map(slide => Math.abs(slide.getBoundingClientRect().top - 51))")
    expect(min(top) < 3 and top.index(min(top)) == 22, f"22 turns lead to slide {top.index(min(top))}, {min(top)} pixels off")
    page.screenshot(path=shots / "slide.png")
    page.close()
    phone = browser.new_context(**SCREENS["phone"]).new_page()
    phone.goto((book / "core.html").as_uri())
    expect(not phone.locator("#contents").is_visible(), "the contents hide the page of a phone")
    phone.locator("#menu").tap()
    phone.wait_for_timeout(300)
    expect(phone.locator("#contents [aria-current]").is_visible(), "the contents do not open on a phone")
    phone.screenshot(path=shots / "contents-phone.png")
    phone.locator("#contents a", has_text="Glossary").tap()
    phone.wait_for_url("**/models-glossary.html")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    build = parser.parse_args().build.resolve()
    shots = build / "report" / "book"
    shots.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for screen in ("desk", "phone"):
            for scheme in ("light", "dark"):
                count = check_pages(browser, build / "book", screen, scheme, shots)
                print(f"book     {screen:<6} {scheme:<6} {count} pages in order")
        check_use(browser, build / "book", shots)
    print(f"screenshots: {shots}/*.png")


if __name__ == "__main__":
    main()
