#include "elf-load.h"

#include "string.h"

#define ELF_CLASS_64 2
#define ELF_DATA_LITTLE 1
#define ELF_MACHINE_AARCH64 183
#define ELF_SEGMENT_LOAD 1
#define ELF_SEGMENTS_MAX 16

struct elf_header {
	uint8_t identification[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments_offset, sections_offset;
	uint32_t flags;
	uint16_t header_size, segment_size, segment_count, section_size, section_count, names_index;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, virtual_address, physical_address, file_size, memory_size, alignment;
};

static bool is_inside(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static bool is_aarch64_program(const struct elf_header *header)
{
	return memcmp(header->identification, "\177ELF", 4) == 0 && header->identification[4] == ELF_CLASS_64 &&
	       header->identification[5] == ELF_DATA_LITTLE && header->machine == ELF_MACHINE_AARCH64 &&
	       header->segment_size == sizeof(struct elf_segment) && header->segment_count <= ELF_SEGMENTS_MAX;
}

static bool load_segment(const uint8_t *file, size_t file_size, const struct elf_segment *segment,
			 const struct elf_destination *destination)
{
	uint64_t place = segment->physical_address - destination->base;
	uint8_t *to;

	if (segment->physical_address < destination->base || !is_inside(place, segment->memory_size, destination->size) ||
	    !is_inside(segment->offset, segment->file_size, file_size) || segment->file_size > segment->memory_size)
		return false;
	to = destination->memory + place;
	memcpy(to, file + segment->offset, segment->file_size);
	memset(to + segment->file_size, 0, segment->memory_size - segment->file_size);
	return true;
}

bool elf_load(const void *file, size_t file_size, const struct elf_destination *destination, uint64_t *entry)
{
	struct elf_header header;
	const uint8_t *bytes = file;

	if (file_size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (!is_aarch64_program(&header) ||
	    !is_inside(header.segments_offset, header.segment_count * sizeof(struct elf_segment), file_size))
		return false;
	for (uint16_t i = 0; i < header.segment_count; i++) {
		struct elf_segment segment;

		memcpy(&segment, bytes + header.segments_offset + i * sizeof(segment), sizeof(segment));
		if (segment.type == ELF_SEGMENT_LOAD && !load_segment(bytes, file_size, &segment, destination))
			return false;
	}
	*entry = header.entry;
	return true;
}
