"""The outer configuration: what the text of a config says, block by block, before anything is run."""

from bsls.config.assemble import assemble, parse_config
from bsls.config.section import Section, Value

__all__ = ["Section", "Value", "assemble", "parse_config"]
