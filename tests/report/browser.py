"""What the checks of pages share: headless Chromium, screens, and a page that is watched while it is used."""
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

SCREENS = {"desk": dict(viewport={"width": 1280, "height": 800}),
           "tablet": dict(viewport={"width": 928, "height": 800}),
           "phone": dict(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)}


def expect(holds, what):
    if not holds:
        sys.exit(f"{Path(sys.argv[0]).name}: {what}")


def chromium_path():
    """Of the system's own. To be asked before anything is made that takes minutes."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    expect(path, "there is no Chromium on this machine; on Debian: apt install chromium")
    return path


@contextmanager
def chromium():
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def visited(browser, address, name, screen="desk", scheme="light", expected=()):
    """A page that may ask for nothing but what begins with its address, or is its own, and print no error or warning
    but the expected ones."""
    context = browser.new_context(color_scheme=scheme, **SCREENS[screen])
    page = context.new_page()
    problems, asked = [], []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    is_dark = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 200
    expect(is_dark == (scheme == "dark"), f"{name}: the ground is {ground} in a {scheme} scheme")
    problems = [problem for problem in problems if not any(part in problem for part in expected)]
    expect(not problems, f"{name}: the browser complains: {problems}")
    foreign = [url for url in asked if not url.startswith((address, "blob:"))]
    expect(not foreign, f"{name}: the page asked for {foreign}")
    context.close()


def check_width(page, name):
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    expect(wide <= 0, f"{name}: the page is {wide} pixels wider than its screen")
