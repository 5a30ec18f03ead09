#include "queue.h"

#include "cpu.h"
#include "gic.h"

bool queue_from_tree(struct queue *queue, const struct fdt *fdt, int node, const char *name)
{
	struct fdt_property reg;

	*queue = (struct queue){ .name = name };
	if (!fdt_get(fdt, node, "reg", &reg) || reg.size < 16)
		return false;
	queue->tx_cap = fdt_cells64(&reg, 0, 2);
	queue->rx_cap = fdt_cells64(&reg, 2, 2);
	queue->label = fdt_get_u32(fdt, node, "label", fdt_get_u32(fdt, node, "qcom,label", 0));
	queue->message_size_max = fdt_get_u32(fdt, node, "qcom,tx-message-size", QUEUE_MESSAGE_MAX);
	return fdt_get_interrupt(fdt, node, 0, &queue->tx_irq) && fdt_get_interrupt(fdt, node, 1, &queue->rx_irq);
}

/* The interrupt's only work is to end a WFI; whoever waits looks at the queue again. */
static void queue_interrupt(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
}

static void connect(struct queue *queue, const struct fdt_interrupt *interrupt)
{
	enum gic_trigger trigger = interrupt->edge ? GIC_EDGE : GIC_LEVEL;

	gic_connect(interrupt->intid, trigger, queue->name, queue_interrupt, queue);
}

void queue_open(struct queue *queue)
{
	connect(queue, &queue->tx_irq);
	connect(queue, &queue->rx_irq);
}

enum gunyah_error queue_send(struct queue *queue, const void *message, size_t size)
{
	uint64_t daif;
	enum gunyah_error error;

	/* The hypervisor drops a message of a bad size without an error; refuse it here. */
	if (size == 0 || size > queue->message_size_max)
		return GUNYAH_ARGUMENT_SIZE;

	daif = irq_mask();
	for (;;) {
		error = gunyah_msgqueue_send(queue->tx_cap, message, size, 0, NULL);
		if (error != GUNYAH_MSGQUEUE_FULL)
			break;
		queue->count.full++;
		cpu_wait_for_interrupt();
	}
	irq_restore(daif);
	if (error == GUNYAH_OK)
		queue->count.sent++;
	return error;
}

enum gunyah_error queue_try_receive(struct queue *queue, void *buffer, size_t buffer_size, size_t *size)
{
	enum gunyah_error error = gunyah_msgqueue_receive(queue->rx_cap, buffer, buffer_size, size, NULL);

	if (error == GUNYAH_OK)
		queue->count.received++;
	else
		*size = 0;
	return error == GUNYAH_MSGQUEUE_EMPTY ? GUNYAH_OK : error;
}

enum gunyah_error queue_receive(struct queue *queue, void *buffer, size_t buffer_size, size_t *size)
{
	uint64_t daif = irq_mask();
	enum gunyah_error error;

	for (;;) {
		error = queue_try_receive(queue, buffer, buffer_size, size);
		if (error != GUNYAH_OK || *size > 0)
			break;
		queue->count.empty++;
		cpu_wait_for_interrupt();
	}
	irq_restore(daif);
	return error;
}
