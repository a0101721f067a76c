"""Where images come from, and who we are there, as settings say."""

from fairlead.adapters.ecr import EcrLogins
from fairlead.adapters.images import ImageStore
from fairlead.adapters.mirrors import read_mirrors
from fairlead.adapters.registry_access import RegistryAccess
from workers.clock import now
from workers.settings import Settings


def open_images(settings: Settings) -> ImageStore:
    """The one place of images of a process. Raises BadInput (bad_value) where the mirrors cannot be read."""
    access = RegistryAccess(settings.docker_config, settings.registry_certs, EcrLogins(now, settings.aws_endpoint))
    return ImageStore(settings.layouts, access, read_mirrors(settings.registry_mirrors))
