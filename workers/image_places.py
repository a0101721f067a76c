"""Where images come from, and who we are there, as settings say."""

from fairlead.adapters.images import ImageStore
from fairlead.adapters.registry_access import RegistryAccess
from workers.settings import Settings


def open_images(settings: Settings) -> ImageStore:
    """The one place of images of a process."""
    return ImageStore(settings.layouts, RegistryAccess(settings.docker_config, settings.registry_certs))
