void guest_main(void);
void guest_main(void)
{
}
