"""What CI would do: build the shop's two images and put them into an image layout under a tag.

python examples/shop/publish.py VERSION LAYOUTS
"""

import sys
from pathlib import Path

from workers.demo.images import to_layout
from workers.demo.shop import COMPONENTS, process_image

if __name__ == "__main__":
    version, layouts = sys.argv[1], Path(sys.argv[2])
    for component in COMPONENTS:
        image = process_image(component, version)
        to_layout(image, layouts / "shop" / component, version)
        sys.stdout.write(f"{component}:{version} is {image.digest}\n")
